using System.Runtime.InteropServices;
using EdgeGateway.Core;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator.Faults;

namespace EdgeGateway.Simulator.Labelled;

/// <summary>
/// The samples that a gateway would take of a simulated site, second by second, without clock, wire or waiting: each point at the seconds that are whole multiples
/// of its period, decoded from its registers as the gateway decodes them.
/// </summary>
/// <remarks>Periods below a second are one second here. A device that does not answer, or answers wrongly, gives samples without value.</remarks>
public sealed class SimulatedSamples
{
    private readonly SimulatedSite _simulation;
    private readonly SiteModel _site;
    private readonly (PointModel Point, long Seconds)[] _points;
    private readonly List<Sample> _samples = [];

    /// <summary>A site that begins at <paramref name="begin"/>.</summary>
    /// <param name="site">What stands there.</param>
    /// <param name="seed">The same seed and begin give the same samples.</param>
    /// <param name="begin">First second.</param>
    /// <param name="script">What goes wrong.</param>
    /// <exception cref="ArgumentException">A fault does not fit the site.</exception>
    public SimulatedSamples(SiteModel site, ulong seed, Instant begin, FaultScript script)
    {
        _site = site;
        _simulation = new SimulatedSite(site, seed, new StandingTime(begin));
        _simulation.Run(script);
        _points = [.. site.Points.Where(static p => p.Kind != PointKind.Text && p.Period > TimeSpan.Zero).Select(static p => (p, Math.Max(1, (long)p.Period.TotalSeconds)))];
        Now = begin;
    }

    /// <summary>The second of the last samples.</summary>
    public Instant Now { get; private set; }

    /// <summary>Lives through one second.</summary>
    /// <returns>The samples of the new second in the order of devices and points; valid until the next call.</returns>
    public ReadOnlySpan<Sample> Step()
    {
        Now += TimeSpan.FromSeconds(1);
        _simulation.Step(Now);
        _samples.Clear();
        var second = Now.UnixMilliseconds / 1000;
        Span<ushort> words = stackalloc ushort[128];
        var (device, reason) = (-1, QualityReason.None);
        foreach (var (point, seconds) in _points)
        {
            if (second % seconds != 0)
            {
                continue;
            }

            if (point.DeviceIndex != device)
            {
                device = point.DeviceIndex;
                reason = WireReason(_simulation.WireOf(device), _site.Devices[device]);
            }

            _samples.Add(reason == QualityReason.None ? Read(point, words) : Sample.Missing(point.Index, Now, reason));
        }

        return CollectionsMarshal.AsSpan(_samples);
    }

    private Sample Read(PointModel point, Span<ushort> words)
    {
        var length = _simulation.Words(point.Index, words);
        return RegisterCodec.Decode(point.Encoding, words[..length], out var value, out var raw) switch
        {
            DecodeStatus.Ok => new(point.Index, Now, value, raw, Quality.Good),
            DecodeStatus.Invalid => Sample.Missing(point.Index, Now, QualityReason.InvalidCode),
            _ => Sample.Missing(point.Index, Now, QualityReason.NotANumber),
        };
    }

    private static QualityReason WireReason(WireState wire, DeviceModel device) =>
        wire.Faults.HasFlag(WireFaults.Silent) || wire.Delay >= device.Timeout ? QualityReason.Timeout
        : wire.Faults.HasFlag(WireFaults.WrongCheckSum) ? QualityReason.CorruptFrame
        : wire.Faults.HasFlag(WireFaults.WrongTransaction) ? QualityReason.WrongReply
        : wire.ExceptionCode != 0 ? QualityReason.DeviceException
        : QualityReason.None;

    /// <summary>A clock that stands: the simulation is stepped and follows none.</summary>
    private sealed class StandingTime(Instant now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now.ToDateTimeOffset();

        public override long GetTimestamp() => 0;
    }
}
