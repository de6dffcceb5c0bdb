using System.IO.Pipes;
using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Gpio;
using EdgeGateway.Tests.Shared;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Integration.Gpio;

/// <summary>Waiting for edges and reading them, with a pipe in place of the kernel's lines: what comes through it is laid out as the kernel lays out its events.</summary>
public sealed class LineWaitTests : IDisposable
{
    private readonly AnonymousPipeServerStream _kernel = new(PipeDirection.Out);
    private readonly ManualTime _time = new();
    private readonly GpioLines _lines;
    private readonly GpioEvent[] _events = new GpioEvent[8];

    public LineWaitTests() => _lines = new(
        new SafeFileHandle(_kernel.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false),
        "a pipe",
        new() { Consumer = "test", Lines = [new() { Offset = 3, Edges = GpioEdges.Rising }] },
        _time);

    [Fact]
    public void Reading_never_waits_and_takes_what_fits()
    {
        Assert.Equal(0, _lines.Read(_events));
        Send(1, 20);
        Assert.Equal([8, 8, 4, 0], Enumerable.Range(0, 4).Select(_ => _lines.Read(_events)));
        Assert.Equal((20u, 3), (_events[3].LineSequence, _events[3].Offset));
    }

    [Fact]
    public async Task A_wait_ends_when_an_edge_comes()
    {
        for (uint number = 1; number <= 20; number++)
        {
            var wait = _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
            Send(number, 1);
            Assert.True(await wait);
            Assert.Equal(1, _lines.Read(_events));
            Assert.Equal(number, _events[0].LineSequence);
        }
    }

    [Fact]
    public async Task A_wait_ends_at_once_when_an_edge_is_there()
    {
        Send(1, 2);
        Assert.True(await _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None));
        Assert.True(await _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None));
    }

    [Fact]
    public async Task A_wait_ends_when_its_time_is_up()
    {
        var wait = _lines.WaitAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(wait.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.False(await wait);
    }

    [Fact]
    public async Task A_wait_can_be_cancelled_and_the_next_one_works()
    {
        using var cancel = new CancellationTokenSource();
        var wait = _lines.WaitAsync(TimeSpan.FromSeconds(5), cancel.Token);
        await cancel.CancelAsync();
        Assert.Equal(cancel.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait)).CancellationToken);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await _lines.WaitAsync(TimeSpan.FromSeconds(5), cancel.Token));
        var next = _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        Send(1, 1);
        Assert.True(await next);
    }

    [Fact]
    public async Task Only_one_waits_and_releasing_the_lines_ends_its_wait()
    {
        var wait = _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None).AsTask());
        _lines.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await wait);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None).AsTask());
        Assert.Throws<ObjectDisposedException>(() => _lines.Read(_events));
    }

    [Fact]
    public async Task A_device_that_is_gone_ends_the_wait()
    {
        var wait = _lines.WaitAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        _kernel.Dispose();
        Assert.True(await wait);
    }

    public void Dispose()
    {
        _lines.Dispose();
        _kernel.DisposeLocalCopyOfClientHandle();
        _kernel.Dispose();
    }

    private void Send(uint first, int count)
    {
        for (var number = first; number < first + count; number++)
        {
            _kernel.Write(MemoryMarshal.AsBytes<GpioEvent>(new[] { new GpioEvent(number * 1000, isRising: true, 3, number, number) }));
        }
    }
}
