using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>A client that was disposed of leaves no line open.</summary>
public sealed class LineOpenerTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(200);

    private readonly ScriptedClock _clock = new();

    [Fact]
    public async Task After_its_end_no_line_is_opened()
    {
        var opened = 0;
        var opener = new LineOpener((_, _) => ValueTask.FromResult<IByteLine>(Line(ref opened)), _clock);
        Assert.True((await opener.OpenAsync(Timeout, CancellationToken.None)).IsOk);
        await opener.DisposeAsync();

        var outcome = await opener.OpenAsync(Timeout, CancellationToken.None);

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Contains("the client is closed", outcome.Describe(), StringComparison.Ordinal);
        Assert.Equal(1, opened);
        Assert.Null(opener.Line);
    }

    [Fact]
    public async Task A_line_that_opens_after_the_end_is_closed_again()
    {
        var line = new ScriptedLine(_clock);
        var opening = new TaskCompletionSource<IByteLine>();
        var opener = new LineOpener((_, _) => new(opening.Task), _clock);
        var open = opener.OpenAsync(Timeout, CancellationToken.None);
        await opener.DisposeAsync();
        opening.SetResult(line);

        Assert.Equal(ModbusStatus.NotConnected, (await open).Status);
        Assert.True(line.IsDisposed);
        Assert.Null(opener.Line);
    }

    [Fact]
    public async Task A_request_under_way_at_the_end_of_its_client_does_not_open_the_line_anew()
    {
        var opened = 0;
        ModbusRtuClient? client = null;
        var isEnd = false;
        client = new(
            (_, _) =>
            {
                opened++;
                var line = new ScriptedLine(_clock);
                line.OnWrite = _ => line.Arrive(TimeSpan.FromMilliseconds(10), Answer);
                return ValueTask.FromResult<IByteLine>(new EndingLine(line, () => isEnd ? client!.DisposeAsync() : ValueTask.CompletedTask, () => isEnd));
            },
            new RtuTiming(new SerialSettings { Baud = 9600 }),
            _clock);
        var values = new ushort[1];
        Assert.Equal(ModbusOutcome.Ok, await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, values, Timeout));
        isEnd = true;

        var outcome = await client.ReadAsync(1, RegisterTable.HoldingRegister, 0, 1, values, Timeout);

        Assert.Equal(ModbusStatus.NotConnected, outcome.Status);
        Assert.Equal(1, opened);
    }

    private static byte[] Answer
    {
        get
        {
            byte[] frame = [1, 3, 2, 0, 7, 0, 0];
            RtuFrame.Finish(frame, 1, 4);
            return frame;
        }
    }

    private ScriptedLine Line(ref int opened)
    {
        opened++;
        return new(_clock);
    }

    /// <summary>Its client ends while it reads.</summary>
    private sealed class EndingLine(ScriptedLine line, Func<ValueTask> end, Func<bool> isEnd) : IByteLine
    {
        public async ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
        {
            await end();
            return isEnd() ? -1 : await line.ReadAsync(buffer, wait, cancel);
        }

        public ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel) => line.WriteAsync(bytes, wait, cancel);

        public ValueTask DisposeAsync() => line.DisposeAsync();
    }
}
