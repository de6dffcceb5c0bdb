using System.Threading.Channels;
using EdgeGateway.Core.Site;
using EdgeGateway.Lines;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Lines;

/// <summary>Lines as the kernel would give them, without a kernel: edges are numbered, a full buffer drops the oldest, and who keeps lines hands them to the next taker.</summary>
internal sealed class ScriptedLines : ILineSource
{
    private readonly Dictionary<string, Line> _lines = [];
    private readonly Dictionary<string, TakenLines> _kept = [];
    private int _requests;

    public ulong NowNs { get; set; } = 1_000_000_000_000;

    public bool OutlivesProcess { get; set; }

    /// <summary>Why no line can be had; null when they can.</summary>
    public string? Refusal { get; set; }

    public Line Of(string name) => _lines.TryGetValue(name, out var line) ? line : _lines[name] = new Line(this);

    public TakenLines Take(string bus, GpioInput input)
    {
        if (Refusal is not null)
        {
            throw new GpioException(GpioFault.Busy, Refusal);
        }

        var name = input.Line.Name!;
        if (_kept.Remove(name, out var kept))
        {
            return kept with { IsKept = true };
        }

        var line = Of(name);
        line.Request(input);
        return new TakenLines(line, $"r{++_requests}", IsKept: false, null);
    }

    public void GiveBack(string bus, GpioInput input, TakenLines taken)
    {
        if (OutlivesProcess)
        {
            _kept[input.Line.Name!] = taken;
        }
        else
        {
            taken.Lines.Dispose();
        }
    }

    public void Drop(string bus, GpioInput input, TakenLines taken) => taken.Lines.Dispose();

    /// <summary>One line, or a pair.</summary>
    internal sealed class Line(ScriptedLines source) : ILines
    {
        private readonly Queue<GpioEvent> _events = new();
        private readonly Lock _gate = new();
        private Channel<bool> _news = Channel.CreateUnbounded<bool>();
        private uint _sequence;
        private bool _isHeld;
        private bool _isGone;

        public IReadOnlyList<int> Offsets { get; private set; } = [0];

        public ulong Level { get; set; }

        public int Buffer { get; set; } = 1024;

        public void Request(GpioInput input)
        {
            lock (_gate)
            {
                (_sequence, _isHeld, _isGone) = (0, true, false);
                _events.Clear();
                _news = Channel.CreateUnbounded<bool>();
                Offsets = input.LineB is null ? [0] : [0, 1];
                if (input.Use == LineUse.Output)
                {
                    Level = input.IsSafeActive ? 1UL : 0;
                }
            }
        }

        /// <summary>Edges, evenly spaced; nobody sees them while nobody holds the line.</summary>
        public void Pulse(int count, TimeSpan every, bool isRising = true)
        {
            lock (_gate)
            {
                for (var i = 0; i < count; i++)
                {
                    source.NowNs += (ulong)every.Ticks * 100;
                    if (!_isHeld)
                    {
                        continue;
                    }

                    _sequence++;
                    _events.Enqueue(new GpioEvent(source.NowNs, isRising, 0, _sequence, _sequence));
                    if (_events.Count > Buffer)
                    {
                        _events.Dequeue();
                    }
                }

                _news.Writer.TryWrite(true);
            }
        }

        public void Remove()
        {
            lock (_gate)
            {
                _isGone = true;
                _news.Writer.TryWrite(true);
            }
        }

        public async ValueTask<bool> WaitAsync(TimeSpan wait, CancellationToken cancel) => await _news.Reader.ReadAsync(cancel);

        public int Read(Span<GpioEvent> events)
        {
            lock (_gate)
            {
                ThrowIfGone();
                var count = 0;
                while (count < events.Length && _events.TryDequeue(out var e))
                {
                    events[count++] = e;
                }

                return count;
            }
        }

        public ulong Values()
        {
            ThrowIfGone();
            return Level;
        }

        public void Set(bool isActive)
        {
            ThrowIfGone();
            Level = isActive ? 1UL : 0;
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _isHeld = false;
            }
        }

        private void ThrowIfGone()
        {
            if (_isGone)
            {
                throw new GpioException(GpioFault.Gone, "the chip was removed");
            }
        }
    }
}
