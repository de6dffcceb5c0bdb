using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Scanning;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Scans through a probe that is scripted.</summary>
public sealed class ScannerTests
{
    private static readonly ScanPlace Line = new() { Bus = "line", SerialPort = "/dev/ttyS1", Baud = 9600, Parity = "none", StopBits = 1 };

    [Fact]
    public async Task What_was_found_is_told_although_the_gateway_stops_in_the_middle()
    {
        await using var probe = new Probe { Answers = unit => unit == 3 ? throw new HttpRequestException("the gateway has stopped") : unit == 1 };
        var document = await Scan(TimeSpan.FromMilliseconds(200)).ScanUnitsAsync(probe, Line, [1, 2, 3, 4], CancellationToken.None);
        Assert.Equal(1, Assert.Single(document.Units).Unit);
        Assert.False(document.IsComplete);
        Assert.Contains("The scan broke off: the gateway has stopped", document.Notes);
    }

    [Fact]
    public async Task A_unit_that_was_found_is_told_although_it_could_not_be_examined()
    {
        await using var probe = new Probe { Answers = _ => true, NamesFail = true };
        var document = await Scan(TimeSpan.FromMilliseconds(200)).ScanUnitsAsync(probe, Line, [7], CancellationToken.None);
        var unit = Assert.Single(document.Units);
        Assert.Equal((7, "not examined: the scan broke off"), (unit.Unit, Assert.Single(unit.Notes)));
    }

    [Fact]
    public async Task A_scan_that_fails_before_anything_is_found_fails()
    {
        await using var probe = new Probe { Answers = _ => throw new HttpRequestException("refused") };
        await Assert.ThrowsAsync<HttpRequestException>(() => Scan(TimeSpan.FromMilliseconds(200)).ScanUnitsAsync(probe, Line, [1], CancellationToken.None));
    }

    [Fact]
    public async Task No_question_takes_longer_than_the_running_gateway_allows()
    {
        await using var probe = new Probe { Answers = _ => false };
        await Scan(TimeSpan.FromMilliseconds(700)).ScanUnitsAsync(probe, Line, [1, 2], CancellationToken.None);
        Assert.Equal([700, 700, 2000], probe.Timeouts.Select(t => (int)t.TotalMilliseconds));
    }

    private static Scanner Scan(TimeSpan timeout) => new([], null, timeout, new NoView(), TimeProvider.System);

    private sealed class NoView : IScanView
    {
        public void Step(ScanProgress progress) => Assert.InRange(progress.Done, 0, progress.Total);

        public void Found(FoundUnit unit) => Assert.NotEqual(0, unit.Unit);
    }

    private sealed class Probe : IProbe
    {
        public required Func<byte, bool> Answers { get; init; }

        public bool NamesFail { get; init; }

        public List<TimeSpan> Timeouts { get; } = [];

        public long LateAnswers => 0;

        public ValueTask<ModbusOutcome> ReadAsync(
            byte unit, RegisterTable table, ushort address, int quantity, Memory<ushort> words, TimeSpan timeout, CancellationToken cancel)
        {
            Timeouts.Add(timeout);
            return ValueTask.FromResult(Answers(unit) ? ModbusOutcome.Refused(ModbusExceptionCode.IllegalDataAddress) : new(ModbusStatus.Timeout));
        }

        public ValueTask<DeviceNames> NamesAsync(byte unit, TimeSpan timeout, CancellationToken cancel) =>
            NamesFail ? throw new HttpRequestException("the gateway has stopped") : ValueTask.FromResult(DeviceNames.None);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
