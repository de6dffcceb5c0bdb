using EdgeGateway.Lines;
using EdgeGateway.Protocols.Gpio;

namespace EdgeGateway.Tests.Lines;

/// <summary>Pulses through a wire that is a double: what is sent, counted, dropped and doubled. Nothing here depends on how fast it goes.</summary>
public sealed class LoopBackTests
{
    [Fact]
    public async Task Every_pulse_through_a_whole_wire_counts_in_every_run()
    {
        using var wire = new Wire();
        var loop = new LoopBack(wire.Output, wire.Input, TimeProvider.System);
        foreach (var count in (int[])[1, 300, 2_000])
        {
            var result = await loop.RunAsync(100_000, count, CancellationToken.None);
            Assert.Equal((count, (long)count, 0L, 0L), (result.Sent, result.Counted, result.Dropped, result.Lost));
            Assert.True(result.IsWhole);
        }
    }

    [Fact]
    public async Task What_the_buffer_had_no_room_for_is_known_by_its_numbers()
    {
        using var wire = new Wire { DropEvery = 10 };
        var result = await new LoopBack(wire.Output, wire.Input, TimeProvider.System).RunAsync(100_000, 995, CancellationToken.None);
        Assert.Equal((995, 896L, 99L, 0L), (result.Sent, result.Counted, result.Dropped, result.Lost));
        Assert.False(result.IsWhole);
    }

    [Fact]
    public async Task Without_a_wire_every_pulse_is_lost()
    {
        using var wire = new Wire { IsCut = true };
        var result = await new LoopBack(wire.Output, wire.Input, TimeProvider.System).RunAsync(100_000, 50, CancellationToken.None);
        Assert.Equal((50, 0L, 50L), (result.Sent, result.Counted, result.Lost));
        Assert.False(result.IsWhole);
    }

    [Fact]
    public async Task Bounce_is_told_from_pulses()
    {
        using var wire = new Wire { Bounces = true };
        var result = await new LoopBack(wire.Output, wire.Input, TimeProvider.System).RunAsync(100_000, 50, CancellationToken.None);
        Assert.Equal((50, 100L, 50L, 0L), (result.Sent, result.Counted, result.Doubled, result.Lost));
        Assert.False(result.IsWhole);
    }

    /// <summary>An output and an input, and what lies between them.</summary>
    private sealed class Wire : IDisposable
    {
        private readonly Queue<GpioEvent> _edges = new();
        private readonly SemaphoreSlim _news = new(0);
        private uint _sequence;

        public Wire() => (Output, Input) = (new End(this), new End(this));

        public End Output { get; }

        public End Input { get; }

        public bool IsCut { get; init; }

        public bool Bounces { get; init; }

        /// <summary>Of so many edges the kernel has no room for one; 0 for a buffer without end.</summary>
        public uint DropEvery { get; init; }

        public void Dispose() => _news.Dispose();

        private void Rise()
        {
            lock (_edges)
            {
                for (var i = 0; i < (Bounces ? 2 : 1); i++)
                {
                    _sequence++;
                    if (DropEvery == 0 || _sequence % DropEvery != 0)
                    {
                        _edges.Enqueue(new GpioEvent(_sequence, isRising: true, 0, _sequence, _sequence));
                    }
                }
            }

            _news.Release();
        }

        internal sealed class End(Wire wire) : ILines
        {
            public IReadOnlyList<int> Offsets { get; } = [0];

            public async ValueTask<bool> WaitAsync(TimeSpan wait, CancellationToken cancel) => await wire._news.WaitAsync(wait, cancel);

            public int Read(Span<GpioEvent> events)
            {
                lock (wire._edges)
                {
                    var count = 0;
                    while (count < events.Length && wire._edges.TryDequeue(out var edge))
                    {
                        events[count++] = edge;
                    }

                    return count;
                }
            }

            public ulong Values() => 0;

            public void Set(bool isActive)
            {
                if (isActive && !wire.IsCut)
                {
                    wire.Rise();
                }
            }

            public void Dispose()
            {
            }
        }
    }
}
