using System.Globalization;
using EdgeGateway.PowerLedger;

// power-ledger write STORE                 commits with the centre away until it is ended; prints "ack N" after commit N is durable
// power-ledger write STORE EVIDENCE        the same with a real broker on loopback; what arrives at the centre goes to EVIDENCE
// power-ledger turn TURN STORE             brings a store to a turn of its ballast: see DiskTurns
// power-ledger check STORE [EVIDENCE]      exit code 0 when the store holds what was acknowledged ($ACK) and all that did not arrive
switch (args)
{
    case ["write", var store]:
        return await Writer.RunAsync(store, null);
    case ["write", var store, var evidence]:
        return await Writer.RunAsync(store, evidence);
    case ["turn", var turn, var store]:
        return DiskTurns.Run(turn, store);
    case ["check", var store, .. var evidence] when evidence.Length <= 1:
        var acknowledged = Environment.GetEnvironmentVariable("ACK") is { Length: > 0 } text ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
        return Checker.Run(store, evidence.Length == 1 ? evidence[0] : null, acknowledged);
    default:
        Console.Error.WriteLine("usage: power-ledger write STORE [EVIDENCE] | turn TURN STORE | check STORE [EVIDENCE]");
        return 2;
}
