using EdgeGateway.Protocols.Modbus;
using FsCheck;
using FsCheck.Fluent;
using static EdgeGateway.Tests.Protocols.Modbus.PipelineSite;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>
/// Whatever happens to the answers to many requests under way (late, lost, doubled, out of order, damaged, in pieces, refused, in
/// another's name, the connection cut), Ok means the values of this very request, and every request comes to an end.
/// </summary>
public sealed class PipelineAdversityTests
{
    private const int Runs = 120;
    private const int Reads = 120;

    public enum Fate
    {
        Good,
        Lost,
        Doubled,
        OtherId,
        NotModbus,
        OtherUnit,
        OtherLength,
        OtherFunction,
        Busy,
        Refused,
        InPieces,
        Cut,
        Closed,
        Noise,
    }

    public sealed record Fault(Fate Fate, int Delay, int Detail);

    public sealed record Story(int Calm, int Keep, Fault[] Faults)
    {
        public override string ToString() => $"calm {Calm}, keep {Keep}\n{string.Join('\n', Faults.Select(f => f.ToString()))}";
    }

    private static readonly Gen<Fault> Faults =
        from fate in Gen.Frequency((20, Gen.Constant(Fate.Good)), (3, Gen.Elements(Enum.GetValues<Fate>())))
        from delay in Gen.Frequency((12, Gen.Choose(1, 20)), (1, Gen.Elements(60, 150, 490, 510, 990, 1010, 1700)))
        from detail in Gen.Choose(0, 1000)
        select new Fault(fate, delay, detail);

    private static readonly Arbitrary<Story> Stories =
        (from calm in Gen.Elements(0, 40, 300)
         from keep in Gen.Elements(0, 2, 8, 32)
         from faults in Faults.ArrayOf(Reads + 30)
         select new Story(calm, keep, faults)).ToArbitrary();

    [Fact]
    public void Ok_always_means_the_answer_to_this_request_and_no_request_hangs()
    {
        var (answered, most) = (0, 0);
        Prop.ForAll(Stories, story =>
        {
            var site = Play(story);
            answered += site.Outcomes.Count(outcome => outcome.IsOk);
            most = Math.Max(most, site.Client.Counters.MostInFlight);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Runs));

        // The property must not hold for lack of answers, nor for lack of company.
        Assert.True(answered > Runs * Reads / 2, $"only {answered} answers were accepted");
        Assert.True(most >= 16, $"never more than {most} under way");
    }

    private static PipelineSite Play(Story story)
    {
        PipelineSite site = new();
        site.ReadMany(story.Calm, unit: i => (byte)(1 + (i % 3)));
        var faults = new Queue<Fault>(story.Faults);
        site.Answer = (line, request) => Deliver(line, request, faults.Count > 0 ? faults.Dequeue() : new(Fate.Good, 5, 0));

        // Judged read by read: see PipelineSite.
        site.ReadMany(Reads, keep: story.Keep == 0 ? null : story.Keep, unit: i => (byte)(1 + (i % 3)));
        Assert.Equal(story.Calm + Reads, site.Outcomes.Count);
        Assert.InRange(site.Took.Max(), TimeSpan.Zero, 33 * PipelineSite.Timeout);
        return site;
    }

    private static void Deliver(EventLine line, byte[] request, Fault fault)
    {
        var after = Ms(fault.Delay);
        var reply = Good(request);
        switch (fault.Fate)
        {
            case Fate.Lost:
                break;
            case Fate.Doubled:
                line.Arrive(after, [.. reply, .. reply]);
                break;
            case Fate.OtherId:
                reply[0] ^= 0x40;
                line.Arrive(after, reply);
                break;
            case Fate.NotModbus:
                reply[2] = 0x48;
                line.Arrive(after, reply);
                break;
            case Fate.OtherUnit:
                reply[6] = 9;
                line.Arrive(after, reply);
                break;
            case Fate.OtherLength:
                line.Arrive(after, Adu(IdOf(request), request[6], [.. reply[MbapHeader.Size..], 0, 0]));
                break;
            case Fate.OtherFunction:
                reply[7] = 4;
                line.Arrive(after, reply);
                break;
            case Fate.Busy:
                line.Arrive(after, Refusal(request, ModbusExceptionCode.ServerDeviceBusy));
                break;
            case Fate.Refused:
                line.Arrive(after, Refusal(request, ModbusExceptionCode.IllegalDataAddress));
                break;
            case Fate.InPieces:
                // Pieces of one answer: nothing else may come between them on a stream, so the second follows at once.
                line.Arrive(after, reply[..(1 + (fault.Detail % (reply.Length - 1)))]);
                line.Arrive(after, reply[(1 + (fault.Detail % (reply.Length - 1)))..]);
                break;
            case Fate.Cut:
                line.Arrive(after, reply[..(1 + (fault.Detail % (reply.Length - 1)))]);
                line.Close(after);
                break;
            case Fate.Closed:
                line.Close(after);
                break;
            case Fate.Noise:
                line.Arrive(after, [(byte)(fault.Detail % 256), 0xFF, 0xFF, 0xFF, .. reply]);
                break;
            default:
                line.Arrive(after, reply);
                break;
        }
    }
}
