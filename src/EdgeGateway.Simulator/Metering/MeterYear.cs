using System.Runtime.InteropServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Signals;

namespace EdgeGateway.Simulator.Metering;

/// <summary>What a technician writes down when a meter is set to zero or exchanged.</summary>
/// <param name="Point">Index of the counter in the site's points.</param>
/// <param name="At">When.</param>
/// <param name="OldFinal">Last reading of the old meter, in the point's unit.</param>
/// <param name="NewStart">First reading of the new one.</param>
public readonly record struct ChangeSheet(int Point, Instant At, decimal OldFinal, decimal NewStart);

/// <summary>How often what happened to the counters of a <see cref="MeterYear"/>.</summary>
/// <param name="Rollovers">Times a register passed its end.</param>
/// <param name="Resets">Meters set to zero.</param>
/// <param name="Swaps">Meters exchanged for others with other readings.</param>
/// <param name="Glitches">Single readings that were false.</param>
/// <param name="Silences">Times a meter did not answer, for up to a day.</param>
public readonly record struct MeterHappenings(int Rollovers, int Resets, int Swaps, int Glitches, int Silences);

/// <summary>
/// The counters of a site over a long time, poll by poll instead of second by second: their readings as samples, and the simulator's own ledger of what each has counted,
/// whatever was read, lost, reset or exchanged.
/// </summary>
/// <remarks>
/// <para>A meter counts in whole steps of its register; the ledger holds the steps that it has shown. So what entries hold can be compared exactly, to the last unit.</para>
/// <para>
/// What happens can be told by a reader of the register. A reset or an exchange is at least six days from the next, and the new reading is further from the old one than the
/// load can bring it in five days: otherwise no reading whatever could show it, and no gateway can know. The same holds for two ends of the register in one silence.
/// </para>
/// </remarks>
public sealed class MeterYear
{
    private static readonly TimeSpan Blind = TimeSpan.FromDays(5);
    private static readonly TimeSpan Between = TimeSpan.FromDays(6);

    private readonly Meter[] _meters;
    private readonly List<Sample> _samples = [];
    private readonly List<ChangeSheet> _sheets = [];
    private readonly TimeSpan _step;
    private readonly Instant _quietFrom;
    private readonly long _blindSteps;
    private MeterHappenings _happenings;
    private long _index;

    /// <summary>The counters of a site as they stand at <paramref name="begin"/>.</summary>
    /// <param name="site">The site: all its counters whose largest rate is known are lived through, and polled at each step.</param>
    /// <param name="seed">The same seed gives the same year.</param>
    /// <param name="begin">The first instant.</param>
    /// <param name="end">Nothing happens any more in the week before it.</param>
    /// <param name="step">Time between two polls.</param>
    /// <exception cref="ArgumentException">A register is too small for its load, or shows no whole steps.</exception>
    public MeterYear(SiteModel site, ulong seed, Instant begin, Instant end, TimeSpan step)
    {
        Now = begin;
        _step = step;
        _quietFrom = end - TimeSpan.FromDays(7);
        _blindSteps = Blind.Ticks / step.Ticks;
        _meters =
        [
            .. site.Points.Where(p => p.Counter?.MaxRatePerSecond is not null).Select(p =>
                new Meter(p, RoleSignals.Resolve(site.Devices[p.DeviceIndex].Profile.Kind, p).Quantity, new Noise(seed, $"meter {site.Devices[p.DeviceIndex].Id}.{p.Id}"), step)),
        ];
    }

    /// <summary>The instant of the last samples.</summary>
    public Instant Now { get; private set; }

    /// <summary>What has happened up to now.</summary>
    public MeterHappenings Happenings => _happenings;

    /// <summary>Changes of meters, in the order of time.</summary>
    public IReadOnlyList<ChangeSheet> Sheets => _sheets;

    /// <summary>The simulator's own ledger: what a counter has counted since the begin, in its unit, exact.</summary>
    /// <exception cref="InvalidOperationException">The point is no counter that is lived through.</exception>
    public decimal Grown(int point) => _meters.First(m => m.Point.Index == point).Grown;

    /// <summary>Lives through the time to the next poll.</summary>
    /// <returns>What the poll reads, in the order of points; valid until the next call.</returns>
    public ReadOnlySpan<Sample> Step()
    {
        Now += _step;
        _index++;
        _samples.Clear();
        foreach (var meter in _meters)
        {
            // A change happens somewhere between two polls: part of the load is counted before it, part after it.
            var flow = meter.Flow(_index);
            var before = meter.IsQuiet(_index) || Now >= _quietFrom ? flow : Befall(meter, flow);
            _happenings = _happenings with { Rollovers = _happenings.Rollovers + meter.Count(flow - before) };
            _samples.Add(meter.Read(_index, Now));
        }

        return CollectionsMarshal.AsSpan(_samples);
    }

    /// <summary>Lets something happen to a meter, or nothing.</summary>
    /// <returns>Steps counted before it.</returns>
    private long Befall(Meter meter, long flow)
    {
        var dice = meter.Noise.Bits(_index);
        if (dice % 1_500 != 0)
        {
            return 0;
        }

        var before = (long)(dice / 1_500 % (ulong)(flow + 1));
        switch (dice / 1_000_003 % 12)
        {
            case 0 when meter.CanChange(0, _blindSteps):
                return Change(meter, before, 0, _happenings with { Resets = _happenings.Resets + 1 });
            case 1 or 2 when meter.CanChange(meter.Other(_index), _blindSteps):
                return Change(meter, before, meter.Other(_index), _happenings with { Swaps = _happenings.Swaps + 1 });
            case >= 3 and <= 6:
                meter.FalseAt = _index;
                meter.Rest(_index, TimeSpan.FromHours(2).Ticks / _step.Ticks);
                _happenings = _happenings with { Glitches = _happenings.Glitches + 1 };
                return 0;
            case 7 or 8:
                var silence = 1 + (long)(dice / 7_000_003 % (ulong)(TimeSpan.TicksPerDay / _step.Ticks));
                meter.SilentUntil = _index + silence;
                meter.Rest(_index, silence + (TimeSpan.FromHours(2).Ticks / _step.Ticks));
                _happenings = _happenings with { Silences = _happenings.Silences + 1 };
                return 0;
            default:
                return 0;
        }
    }

    private long Change(Meter meter, long before, long to, MeterHappenings after)
    {
        _happenings = after;
        _happenings = _happenings with { Rollovers = _happenings.Rollovers + meter.Count(before) };
        _sheets.Add(new(meter.Point.Index, Now, meter.Reading, meter.InUnit(to)));
        meter.Set(to);
        meter.Rest(_index, Between.Ticks / _step.Ticks);
        return before;
    }

    /// <summary>One counter: how many steps its register has shown, and where it stands.</summary>
    private sealed class Meter
    {
        private readonly CounterRegister _register;
        private readonly ushort[] _words;
        private readonly long _end;
        private readonly double _mostSteps;
        private readonly Noise _load;
        private double _rest;
        private long _grown;
        private long _at;
        private long _quietUntil;

        public Meter(PointModel point, Quantity quantity, Noise noise, TimeSpan step)
        {
            (Point, Noise, _load) = (point, noise, noise.Channel(1));
            _register = new CounterRegister(point, quantity);
            _words = new ushort[point.Encoding.Length];
            _end = (long)_register.Steps;
            _mostSteps = (double)(point.Counter!.MaxRatePerSecond!.Value * (decimal)step.TotalSeconds / InUnit(1));
            if (_register.QuantaPerStep == 0 || _end <= 0 || _mostSteps * (Blind.Ticks / step.Ticks) * 5 > _end)
            {
                throw new ArgumentException($"Point '{point.Id}' shows no whole steps, never rolls over, or rolls over within days at its largest rate.", nameof(point));
            }

            // Near its end, so that every meter rolls over in the first weeks.
            _at = _end - (long)(_mostSteps * 2_000 * (1 + noise.At(-1))) % _end;
            _at = Math.Clamp(_at, 0, _end - 1);
            _quietUntil = TimeSpan.TicksPerDay / step.Ticks;
        }

        public PointModel Point { get; }

        public Noise Noise { get; }

        /// <summary>The poll that reads falsely.</summary>
        public long FalseAt { get; set; } = -1;

        /// <summary>The last poll that is not answered.</summary>
        public long SilentUntil { get; set; } = -1;

        /// <summary>What the meter shows, in the point's unit.</summary>
        public decimal Reading => InUnit(_at);

        public decimal Grown => InUnit(_grown);

        public decimal InUnit(long steps) => _register.InUnit(steps * _register.QuantaPerStep);

        public bool IsQuiet(long index) => index < _quietUntil;

        public void Rest(long index, long steps) => _quietUntil = index + steps;

        /// <summary>Whole steps that flow to the next poll: between a tenth and nine tenths of the largest rate, by the hour and by chance.</summary>
        public long Flow(long index)
        {
            var share = 0.5 + (0.3 * _load.Smooth(index * 300, 43_200)) + (0.1 * _load.White(index));
            var steps = (_mostSteps * share) + _rest;
            var whole = (long)steps;
            _rest = steps - whole;
            return whole;
        }

        /// <summary>Counts steps.</summary>
        /// <returns>How often the register passed its end.</returns>
        public int Count(long steps)
        {
            _grown += steps;
            var (passed, at) = Math.DivRem(_at + steps, _end);
            _at = at;
            return (int)passed;
        }

        /// <summary>Another reading, as another meter has, or this one set to zero. What was not yet a step is gone with it.</summary>
        public void Set(long to) => (_at, _rest) = (to, 0);

        /// <summary>Where another meter might stand.</summary>
        public long Other(long index) => (long)(_end * (0.1 + (0.7 * Noise.At(~index))));

        /// <summary>Whether a reader can tell the change, even one that sees nothing for days: the old reading is not near the end, and the new one is out of reach.</summary>
        public bool CanChange(long to, long blindSteps)
        {
            var reach = _mostSteps * blindSteps * 1.3;
            return _at > reach && _at < _end - reach && Math.Abs(to - _at) > 2 * reach && to < _end - reach;
        }

        public Sample Read(long index, Instant now)
        {
            if (index <= SilentUntil)
            {
                return Sample.Missing(Point.Index, now, QualityReason.Timeout);
            }

            // A torn reply: another number altogether.
            var shown = index == FalseAt ? (_at + (_end / 3)) % _end : _at;
            RegisterCodec.EncodeRaw(Point.Encoding, _register.RawOf(shown * _register.QuantaPerStep), _words);
            RegisterCodec.Decode(Point.Encoding, _words, out var value, out var raw);
            return new(Point.Index, now, value, raw, Quality.Good);
        }
    }
}
