using System.Globalization;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Uplinks.Hj212;

/// <summary>What the platform asks for: carried out when the site allows the command, refused otherwise. Nothing reaches a device; settings last until the next start.</summary>
/// <param name="model">The uplink, with the commands that are allowed.</param>
/// <param name="password">Its password.</param>
/// <param name="rows">Whose real-time data the platform may change.</param>
/// <param name="now">The local time of the site.</param>
/// <param name="log">Told of each command with its answer.</param>
internal sealed class Hj212Commands(Hj212UplinkModel model, string password, Hj212Rows rows, Func<DateTime> now, Action<string, string> log)
{
    private const int LeastInterval = 30;
    private const int MostInterval = 3600;

    private readonly HashSet<string> _known = ["1000", "1011", "1012", "1061", "1062", "1063", "1064", "1072", "2011", "2012", "2021", "2022", "2031", "2041", "2051", "2061", "3011", "3012", "3013", "3014", "3015", "3016", "3017", "3018", "3019", "3020", "3021"];

    /// <summary>How the session waits; changed by CN 1000.</summary>
    public Hj212Patience Patience { get; private set; } = new() { Answer = model.AnswerTimeout, Sendings = model.Sendings };

    /// <summary>The answers to a packet of the platform, in the order in which they are sent.</summary>
    public IReadOnlyList<Hj212Packet> Answer(Hj212Packet request)
    {
        // An answer repeats them: longer ones would not fit into a packet, and are of nobody who speaks this protocol.
        if (!request.IsAnswerable)
        {
            log(request.Command, "no answer: QN, PW or MN is too long");
            return [];
        }

        var answer = Check(request);
        log(request.Command, answer.ToString());
        List<Hj212Packet> replies = request.Flag.WantsAnswer ? [Hj212Packet.Answer(request, Hj212Command.RequestAnswer, new Hj212Field("QnRtn", ((int)answer).ToString(CultureInfo.InvariantCulture)))] : [];
        if (answer != Hj212Answer.Ready)
        {
            return replies;
        }

        var (result, data) = Carry(request);
        if (data is { } field)
        {
            replies.Add(Hj212Packet.Make(request.Number, model.System, request.Command, password, model.DeviceNumber, Hj212Flag.Of(wantsAnswer: false), [[field]]));
        }

        replies.Add(Hj212Packet.Answer(request, Hj212Command.Result, new Hj212Field("ExeRtn", ((int)result).ToString(CultureInfo.InvariantCulture))));
        return replies;
    }

    private Hj212Answer Check(Hj212Packet request) =>
        request.Device != model.DeviceNumber ? Hj212Answer.Device
        : request.Password != password ? Hj212Answer.Password
        : request.Number.Length == 0 ? Hj212Answer.Number
        : model.Commands.Contains(request.Command) ? Hj212Answer.Ready
        : _known.Contains(request.Command) ? Hj212Answer.Refused
        : Hj212Answer.Command;

    private (Hj212Result Result, Hj212Field? Data) Carry(Hj212Packet request)
    {
        switch (request.Command)
        {
            case Hj212Command.ReadTime:
                return (Hj212Result.Done, new Hj212Field("SystemTime", Hj212Time.Write(now())));
            case Hj212Command.ReadRealTimeInterval:
                return (Hj212Result.Done, Seconds("RtdInterval", rows.RealTime));
            case Hj212Command.ReadMinuteInterval:
                return (Hj212Result.Done, new("MinInterval", ((int)(model.Minute ?? TimeSpan.Zero).TotalMinutes).ToString(CultureInfo.InvariantCulture)));
            case Hj212Command.SetRealTimeInterval when Number(request, "RtdInterval") is >= LeastInterval and <= MostInterval and var seconds:
                rows.RealTime = TimeSpan.FromSeconds(seconds);
                return (Hj212Result.Done, null);
            case Hj212Command.SetTimeout when Number(request, "OverTime") is >= 1 and <= 120 and var wait && Number(request, "ReCount") is >= 1 and <= 10 and var count:
                Patience = Patience with { Answer = TimeSpan.FromSeconds(wait), Sendings = count };
                return (Hj212Result.Done, null);
            case Hj212Command.RealTime:
                rows.RealTime ??= model.RealTime ?? TimeSpan.FromSeconds(LeastInterval);
                return (Hj212Result.Done, null);
            case Hj212Command.StopRealTime:
                rows.RealTime = null;
                return (Hj212Result.Done, null);
            default:
                return (Hj212Result.Condition, null);
        }
    }

    private static Hj212Field Seconds(string key, TimeSpan? time) => new(key, ((int)(time ?? TimeSpan.Zero).TotalSeconds).ToString(CultureInfo.InvariantCulture));

    private static int Number(Hj212Packet request, string key) => int.TryParse(request.Value(key), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
