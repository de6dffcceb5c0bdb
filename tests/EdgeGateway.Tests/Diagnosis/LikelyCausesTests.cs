using EdgeGateway.Core.Diagnosis;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>A table of symptoms: what is counted, and what a technician is told.</summary>
public sealed class LikelyCausesTests
{
    private static readonly BusSymptoms Line = new() { Bus = "line", Medium = BusMedium.Line, Where = "/dev/ttyUSB0 at 9600 baud", Devices = [] };
    private static readonly BusSymptoms Net = new() { Bus = "net", Medium = BusMedium.Tcp, Where = "10.0.0.5:502", Devices = [] };
    private static readonly BusSymptoms Server = new() { Bus = "server", Medium = BusMedium.LineOverTcp, Where = "10.0.0.6:4001, RTU", Devices = [] };
    private static readonly BusSymptoms Udp = new() { Bus = "udp", Medium = BusMedium.Udp, Where = "10.0.0.7:502, UDP", Devices = [] };

    public static TheoryData<string, BusSymptoms, string> Table => new()
    {
        { "echo, nobody answers", Line with { Echoes = 20, Devices = [Silent(1), Silent(2)] }, "Bus line: echo of our own requests (20 heard back). RTS direction or missing termination" },
        { "echo, devices answer", Line with { Echoes = 100, Devices = [Good(1)] }, "It does no harm as long as devices answer" },
        { "all silent on a line", Line with { Devices = [Silent(1), Silent(2)] }, "Bus line: none of its 2 devices ever answers (40 requests). Check, in this order: the port is the right one, A and B are not swapped, baud rate and parity" },
        { "the only device is silent", Line with { Devices = [Silent(7)] }, "its only device (d7, unit 7) never answers" },
        { "all silent on a network", Net with { Devices = [Silent(1), Silent(2)] }, "The connection is accepted and nothing answers" },
        { "all silent behind a device server", Server with { Devices = [Silent(1), Silent(2)] }, "check that it passes bytes on unchanged (if it speaks Modbus TCP, that is another type of bus), baud rate and parity set in it" },
        { "all silent over UDP", Udp with { Devices = [Silent(1), Silent(2)] }, "UDP does not tell why: check power, address and port" },
        { "echo behind a device server", Server with { Echoes = 20, Devices = [Good(1)] }, "The adapter does not switch off its receiver while it sends" },
        { "everything damaged behind a device server", Server with { Devices = [new() { Device = "d1", Unit = 1, Timeout = Ms(500), Corrupt = 20 }] }, "Baud rate or parity set in the device server differ" },
        { "no Modbus over UDP", Udp with { Devices = [new() { Device = "d1", Unit = 1, Timeout = Ms(500), Corrupt = 20 }] }, "What answers is no Modbus over UDP" },
        { "another client of a device server", Server with { Devices = [Good(1) with { Strange = 1 }] }, "Another client uses the line" },
        { "a device server too busy", Server with { Utilisation = 0.93, Devices = [Good(1)] }, "use a higher baud rate on all devices" },
        { "one silent, others answer", Line with { Devices = [Good(1), Silent(2), Good(3)] }, "Device d2 on bus line: never answers (20 requests), while 2 others answer. The line is good: check its power, its unit id (is it 2?)" },
        { "duplicate ids", Line with { Devices = [Good(1) with { Strange = 3, AnsweredBy = 3 }, Good(3)] }, "Device d1 on bus line: replies from unit 3 to requests for unit 1 (3 times). Two devices share a unit id, or a gateway maps unit ids; unit 3 is d3 here" },
        { "another client", Line with { Devices = [Good(1) with { Strange = 1 }] }, "answers that do not belong to the request (once). Another client uses the line" },
        { "everything damaged", Line with { Devices = [new() { Device = "d1", Unit = 1, Timeout = Ms(500), Corrupt = 20 }] }, "Bus line: all that comes is damaged (20 frames). Baud rate or parity differ" },
        { "not Modbus TCP", Net with { Devices = [new() { Device = "d1", Unit = 1, Timeout = Ms(500), Corrupt = 20 }] }, "What answers is no Modbus TCP" },
        { "damage on all devices", Line with { Devices = [Good(1) with { Corrupt = 5 }, Good(2) with { Corrupt = 7 }] }, "Bus line: 5.7 % of the answers are damaged, on 2 of 2 devices. Check termination (120 ohm at both ends" },
        { "damage grows with length", Line with { Devices = [Lengthy(1), Lengthy(2)] }, "long ones more than short ones. Noise or reflections hit the longer frames" },
        { "damage on one device", Line with { Devices = [Good(1) with { Corrupt = 10 }, Good(2), Good(3)] }, "Device d1 on bus line: 9.1 % of its answers are damaged; the others are clean. Check its own wiring" },
        { "answers break off", Line with { Devices = [Good(1) with { Short = 5 }] }, "4.8 % of its answers break off. Bytes are lost on the way" },
        { "answers of several devices break off", Line with { Devices = [Good(1) with { Short = 5, LongReads = (50, 5) }, Good(2) with { Short = 9, LongReads = (50, 9) }] }, "Bus line: 6.5 % of the answers break off, on 2 of 2 devices. Bytes are lost on the way: another adapter" },
        { "long answers break off, short ones were not asked for", Line with { Devices = [Good(1) with { Short = 5, LongReads = (50, 5) }] }, "4.8 % of its answers break off. Bytes are lost on the way" },
        { "somebody else talks", Line with { Unasked = 12, Devices = [Good(1), Good(2)] }, "Bus line: bytes came 12 times while nothing was asked. Another client uses the line, or a device talks without being asked" },
        { "long answers break off", Line with { Devices = [Good(1) with { Short = 5, ShortReads = (50, 0), LongReads = (50, 5) }] }, "it sends fewer registers than its profile allows; lower maxRegistersPerRead" },
        { "exception 01", Net with { Devices = [Refuses(1)] }, "refuses 9.1 % of its requests with exception 01 (illegal function). It does not offer this table" },
        { "exception 02", Net with { Devices = [Refuses(2)] }, "exception 02 (illegal data address). A register in the request does not exist" },
        { "exception 03", Net with { Devices = [Refuses(3)] }, "exception 03 (illegal data value). The request is longer than it allows" },
        { "exception 04", Net with { Devices = [Refuses(4)] }, "exception 04 (device failure). It fails while it works on the request" },
        { "exception 05", Net with { Devices = [Refuses(5)] }, "exception 05 (acknowledge). It needs more time" },
        { "exception 06", Net with { Devices = [Refuses(6)] }, "exception 06 (device busy). It is busy" },
        { "exception 08", Net with { Devices = [Refuses(8)] }, "exception 08 (memory parity error). Its memory is faulty" },
        { "exception 0A", Net with { Devices = [Refuses(10)] }, "exception 0A (gateway has no path). The Modbus gateway does not know where this unit is" },
        { "exception 0B", Net with { Devices = [Refuses(11)] }, "exception 0B (unit behind the gateway does not answer). The Modbus gateway works" },
        { "a private exception", Net with { Devices = [Refuses(0x40)] }, "exception 40 (a code that the standard does not define). See the manual" },
        { "gateway without a line", Net with { Devices = [Behind(1), Behind(2)] }, "Bus net: the Modbus gateway answers, and none of the 2 units behind it does" },
        { "only slow", Line with { LateReplies = 10, Devices = [Good(1) with { Timeouts = 10, UsualLatency = Ms(450) }] }, "9.1 % of its requests time out, and it often takes 450 ms of the 500 ms it is allowed. It is only slow: set 'timeout: 1200ms'" },
        { "now and then silent", Line with { Devices = [Good(1) with { Timeouts = 10 }] }, "9.1 % of its requests stay without an answer, the others are answered well within 500 ms. Now and then it does not hear" },
        { "late replies", Net with { LateReplies = 30, Devices = [Good(1) with { Timeouts = 1 }] }, "Bus net: 30 answers came when they were no longer awaited; requests to d1 timed out. The time limit is too short" },
        { "refused", Net with { ConnectProblem = "10.0.0.5:502: Connection refused (ConnectionRefused, errno 111)", Devices = [Cut(1)] }, "10.0.0.5:502 cannot be opened (10.0.0.5:502: Connection refused (ConnectionRefused, errno 111)). The computer is there and nothing listens" },
        { "reset", Net with { ConnectProblem = "the device closed the connection instead of answering", Devices = [Good(1) with { NotConnected = 9 }] }, "the connection to 10.0.0.5:502 broke 9 times (the device closed the connection instead of answering). The device closes connections: many allow one client only" },
        { "unreachable", Net with { ConnectProblem = "10.0.0.5:502: No route to host (HostUnreachable, errno 113)", Devices = [Cut(1)] }, "There is no way to this address" },
        { "nothing at the address", Net with { ConnectProblem = "10.0.0.5:502 did not accept the connection within 500 ms", Devices = [Cut(1)] }, "Nothing answers at this address" },
        { "port taken", Line with { ConnectProblem = "/dev/ttyUSB0 is in use by mbpoll (pid 7)", Devices = [Cut(1)] }, "cannot be opened (/dev/ttyUSB0 is in use by mbpoll (pid 7)). Two programs cannot share a line" },
        { "no right", Line with { ConnectProblem = "/dev/ttyUSB0 may not be opened by root", Devices = [Cut(1)] }, "Give the gateway's user that right" },
        { "no adapter", Line with { ConnectProblem = "/dev/ttyUSB0 does not exist", Devices = [Cut(1)] }, "cannot be opened (/dev/ttyUSB0 does not exist). Look whether the adapter is plugged in" },
        { "adapter lost now and then", Line with { Devices = [Good(1) with { NotConnected = 9 }] }, "The adapter was unplugged or reset" },
        { "too busy", Line with { Utilisation = 0.93, Devices = [Good(1)] }, "Bus line: the bus is in use 93 % of the time. Poll less often" },
    };

    [Theory, MemberData(nameof(Table))]
    public void A_symptom_has_its_sentence(string what, BusSymptoms symptoms, string sentence)
    {
        var causes = LikelyCauses.Of(symptoms).Select(c => c.ToString()).ToArray();
        Assert.True(causes.Any(c => c.Contains(sentence, StringComparison.Ordinal)), $"{what}:\n{string.Join('\n', causes)}");
        Assert.True(causes.Length <= 2, $"one fault needs no more than two sentences:\n{string.Join('\n', causes)}");
    }

    [Fact]
    public void A_healthy_bus_is_quiet()
    {
        Assert.Empty(LikelyCauses.Of(Line with { Utilisation = 0.4, Devices = [Good(1), Good(2) with { Corrupt = 1, Timeouts = 1 }] }));
        Assert.Empty(LikelyCauses.Of(Net with { Devices = [] }));
    }

    [Fact]
    public void A_few_requests_are_not_enough_to_judge_by() =>
        Assert.Empty(LikelyCauses.Of(Line with { Devices = [new() { Device = "d1", Unit = 1, Timeout = Ms(500), Timeouts = LikelyCauses.Enough - 1 }] }));

    [Fact]
    public void A_fault_of_the_whole_bus_is_not_said_again_for_each_device()
    {
        Assert.Single(LikelyCauses.Of(Line with { Devices = [Silent(1), Silent(2), Silent(3)] }));
        Assert.Single(LikelyCauses.Of(Net with { Devices = [Behind(1), Behind(2), Behind(3)] }));
        Assert.Single(LikelyCauses.Of(Net with { ConnectProblem = "x", Devices = [Cut(1), Cut(2)] }));
    }

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    private static DeviceSymptoms Good(int unit) => new() { Device = $"d{unit}", Unit = unit, Timeout = Ms(500), Answered = 100, UsualLatency = Ms(40) };

    private static DeviceSymptoms Silent(int unit) => new() { Device = $"d{unit}", Unit = unit, Timeout = Ms(500), Timeouts = 20 };

    private static DeviceSymptoms Cut(int unit) => new() { Device = $"d{unit}", Unit = unit, Timeout = Ms(500), NotConnected = 20 };

    private static DeviceSymptoms Behind(int unit) => Silent(unit) with { Timeouts = 0, Exceptions = new Dictionary<byte, long> { [0x0B] = 20 } };

    private static DeviceSymptoms Refuses(byte code) => Good(1) with { Exceptions = new Dictionary<byte, long> { [code] = 10 } };

    private static DeviceSymptoms Lengthy(int unit) => Good(unit) with { Corrupt = 10, ShortReads = (50, 1), LongReads = (50, 9) };
}
