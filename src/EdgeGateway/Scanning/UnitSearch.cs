using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Scanning;

/// <summary>Whether there is a unit behind an id.</summary>
internal enum Presence
{
    /// <summary>Nothing was heard.</summary>
    Silent,

    /// <summary>It answers, be it by a refusal.</summary>
    Answers,

    /// <summary>Something answers, and all of it is damaged.</summary>
    Garbled,

    /// <summary>A gateway says that it does not reach the unit.</summary>
    BehindGateway,

    /// <summary>There is no connection or port.</summary>
    NoBus,
}

/// <summary>Finds out which unit ids answer.</summary>
internal sealed class UnitSearch(IProbe probe, TimeSpan timeout)
{
    // A single damaged answer is noise; two units with one id damage nearly all.
    private const int Retries = 4;

    private readonly ushort[] _word = new ushort[1];

    /// <summary>What the operating system said when there was no bus.</summary>
    public string Problem { get; private set; } = "";

    /// <summary>Asks one unit id. One register is read, of a table that nearly every device has; a refusal is an answer too.</summary>
    public async ValueTask<Presence> AskAsync(byte unit, CancellationToken cancel)
    {
        var garbled = 0;
        for (var attempt = 0; attempt <= Retries; attempt++)
        {
            var late = probe.LateAnswers;
            var outcome = await probe.ReadAsync(unit, RegisterTable.HoldingRegister, 0, 1, _word, timeout, cancel).ConfigureAwait(false);
            switch (outcome.Status)
            {
                case ModbusStatus.NotConnected:
                    Problem = outcome.Describe();
                    return Presence.NoBus;
                case ModbusStatus.Exception when outcome.ExceptionCode is ModbusExceptionCode.GatewayPathUnavailable or ModbusExceptionCode.GatewayTargetFailedToRespond:
                    return Presence.BehindGateway;
                case ModbusStatus.Ok or ModbusStatus.Exception or ModbusStatus.Malformed or ModbusStatus.WrongFunction:
                    return garbled >= 2 ? Presence.Garbled : Presence.Answers;
                case ModbusStatus.Timeout or ModbusStatus.WrongUnit when probe.LateAnswers == late:
                    return garbled > 0 ? Presence.Garbled : Presence.Silent;
                case ModbusStatus.CorruptFrame or ModbusStatus.ShortReply:
                    garbled++;
                    break;
            }
        }

        return garbled > 0 ? Presence.Garbled : Presence.Silent;
    }
}
