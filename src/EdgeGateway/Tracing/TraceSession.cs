using System.Runtime.CompilerServices;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tracing;

/// <summary>Turns what passes on a bus into documents, as they come.</summary>
internal sealed class TraceSession(IReadOnlyList<DeviceModel> devices, Func<TimeSpan, DateTimeOffset> wallClock, int? unit)
{
    // How often a reader looks for frames that never become whole.
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private const int MostAtOnce = 256;

    private readonly List<TraceDocument> _ready = [];

    /// <summary>Watches a bus of the gateway until cancelled or the gateway stops.</summary>
    /// <param name="hub">The bus.</param>
    /// <param name="watcher">Attached to the hub.</param>
    /// <param name="bus">The same bus as the file has it.</param>
    /// <param name="cancel">Ends the trace; what came before is complete.</param>
    public async IAsyncEnumerable<IReadOnlyList<TraceDocument>> WatchAsync(
        WireHub hub, WireWatcher watcher, BusModel bus, [EnumeratorCancellation] CancellationToken cancel)
    {
        var tracer = WireFormats.Tracer(bus, Report);
        var reader = new Reader(tracer);
        while (true)
        {
            if (tracer is FrameTracer modbus)
            {
                modbus.InFlight = hub.InFlight;
            }

            var hasEnded = watcher.HasEnded;
            var hasMore = watcher.Drain(reader, MostAtOnce, out var lost);
            if (lost > 0)
            {
                tracer.Break();
                _ready.Add(new() { Time = wallClock(hub.Now), Kind = "lost", Text = $"{lost} events passed unseen: this reader was too slow", Lost = lost });
            }

            if (!hasMore)
            {
                tracer.Pass(hub.Now);
            }

            if (hasEnded && !hasMore)
            {
                tracer.Flush();
            }

            if (_ready.Count > 0)
            {
                yield return _ready;
                _ready.Clear();
            }

            if (hasMore)
            {
                continue;
            }

            if (hasEnded)
            {
                yield break;
            }

            await watcher.WaitAsync(Tick, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Listens to a line without ever sending, until cancelled or the line is lost.</summary>
    public async IAsyncEnumerable<IReadOnlyList<TraceDocument>> ListenAsync(
        IByteLine line, BusModel bus, TimeProvider time, [EnumeratorCancellation] CancellationToken cancel)
    {
        var begin = time.GetTimestamp();
        var tracer = WireFormats.Tracer(bus, Report);
        var buffer = new byte[4096];
        while (true)
        {
            var count = await line.ReadAsync(buffer, Tick, cancel).ConfigureAwait(false);
            var now = time.GetElapsedTime(begin);
            tracer.Pass(now);
            if (count > 0)
            {
                tracer.Received(now, buffer.AsSpan(0, count));
            }
            else if (count < 0)
            {
                tracer.LineChanged(now, isOpen: false);
            }

            if (_ready.Count > 0)
            {
                yield return _ready;
                _ready.Clear();
            }

            if (count < 0)
            {
                yield break;
            }
        }
    }

    private void Report(TracedFrame frame)
    {
        // Noise has no unit; it may well be what is left of the answer that is looked for.
        if (unit is null || frame.Unit == unit || frame.AskedUnit == unit || frame.Kind is TraceKind.Line or TraceKind.Noise)
        {
            _ready.Add(TraceDocument.Of(frame, wallClock(frame.At), devices));
        }
    }

    private sealed class Reader(LineTracer tracer) : IWireReader
    {
        public void Take(WireEvent what, TimeSpan at, ReadOnlySpan<byte> bytes)
        {
            switch (what)
            {
                case WireEvent.Sent:
                    tracer.Sent(at, bytes);
                    break;
                case WireEvent.Received:
                    tracer.Received(at, bytes);
                    break;
                default:
                    tracer.LineChanged(at, what == WireEvent.Opened);
                    break;
            }
        }
    }
}
