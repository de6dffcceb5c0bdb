using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Ledgers;
using EdgeGateway.Storage;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway ledger</c>: the append-only ledger of the carbon account: export it, check it, prove one entry, compute it again.</summary>
internal static class LedgerCommand
{
    public static Command Create() => new("ledger", "The carbon ledger: export, verify, prove, recompute, show.") { Export(), Verify(), Prove(), Recompute(), Show() };

    private static Argument<string?> Place() => new("LEDGER")
    {
        Description = "An export, the directory of a store or its gateway.db; the store of --config when absent. The gateway may be running.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static Option<string[]> Keys() => new("--key", "-k")
    {
        Description = "Public key of the device (PEM; gateway.ledger-key.pub beside its store), got on another way than the ledger. Several when the key was changed.",
        HelpName = "PEM",
        AllowMultipleArgumentsPerToken = true,
    };

    private static Command Export()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write; an existing one is replaced." };
        var store = new Option<string?>("--store", "-s") { Description = "Directory of the store; the one of --config when absent.", HelpName = "DIR" };
        var from = new Option<long?>("--from") { Description = "Number of the first record; the oldest kept when absent.", HelpName = "NUMBER" };
        var configuration = CommonOptions.Configuration();
        var command = new Command(
            "export",
            """
            Write the ledger to a text file that can be checked anywhere, without the gateway. It ends with a footer that the device key signs
            when this user may read it (run as the gateway's user or as root). Exit code: 0 written, 1 not written, 2 there is no ledger.
            """) { file, store, from, configuration };
        command.SetAction(result => Guard(() =>
        {
            if (Open(result.GetValue(store), result.GetValue(configuration)!) is not { } source)
            {
                return Terminal.BadInput;
            }

            var path = result.GetValue(file)!;
            var header = source.Header;
            var lines = source.Lines();
            if (result.GetValue(from) is { } first && first > header.After + 1)
            {
                (header, lines) = Later(header, source, first);
            }

            var key = source.StoreDirectory is { } directory ? LedgerKeyFile.TryLoad(directory) : null;
            var temporary = path + ".new";
            LedgerFooter footer;
            using (var output = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                footer = LedgerExport.Write(header, lines, key, output);
            }

            File.Move(temporary, path, overwrite: true);
            Console.WriteLine($"{path}: {footer.Records} records, {header.After + 1} to {footer.Last}, head {footer.Head[..16]}{(key is null ? "; the footer is not signed, because this user may not read the device key: what was appended since the last seal has no signature" : "")}");
            return Terminal.Success;
        }));
        return command;
    }

    private static Command Verify()
    {
        var files = new Argument<string[]>("FILE") { Description = "An export, or the proof of an entry. Several exports are parts of one history, oldest first: it is said how each goes on from the one before.", Arity = ArgumentArity.OneOrMore };
        var keys = Keys();
        var json = CommonOptions.Json();
        var command = new Command(
            "verify",
            """
            Check an export or a proof alone, offline: form, links, numbers, Merkle roots, signatures. Names the first record that is not
            what was written. Exit code: 0 all is as it was written, 1 it is not, 2 the file or the key cannot be read.
            """) { files, keys, json };
        command.SetAction(result => Guard(() =>
        {
            List<string> trusted = [];
            foreach (var key in result.GetValue(keys) ?? [])
            {
                try
                {
                    trusted.Add(DeviceKey.ReadPublic(File.ReadAllText(key)));
                }
                catch (InvalidDataException e)
                {
                    return Terminal.Fail($"{key}: error: {e.Message}", Terminal.BadInput);
                }
            }

            var (worst, before) = (Terminal.Success, ((string Path, LedgerVerdict Verdict)?)null);
            foreach (var path in result.GetValue(files)!)
            {
                using var input = File.OpenRead(path);
                if (input.Length < 1 << 20 && input.ReadByte() == '{')
                {
                    worst = Math.Max(worst, VerifyProof(path, trusted, result.GetValue(json)));
                    continue;
                }

                input.Position = 0;
                var verdict = new LedgerVerifier(trusted).Verify(input);
                if (result.GetValue(json))
                {
                    Console.WriteLine(JsonSerializer.Serialize(Document(verdict), LedgerDocuments.Default.LedgerVerdictDocument));
                }
                else
                {
                    Print(path, verdict);
                    if (before is { } part && verdict.Fault is null)
                    {
                        Console.WriteLine(Joint(part.Path, part.Verdict, path, verdict));
                    }
                }

                before = verdict.Fault is null ? (path, verdict) : null;
                worst = Math.Max(worst, verdict.Fault is null ? Terminal.Success : Terminal.Failure);
            }

            return worst;
        }));
        return command;
    }

    /// <summary>How an export goes on from an earlier one, both as they were written; one sentence.</summary>
    internal static string Joint(string before, LedgerVerdict first, string after, LedgerVerdict second)
    {
        var header = second.Header!;
        return header.Gateway != first.Header!.Gateway ? $"{after} is of another gateway than {before}"
            : header.After == first.Last ? header.Head == first.Head ? $"{after} goes on from {before} without a gap" : $"{after} goes on at the number at which {before} ends, from another record: they are parts of different ledgers"
            : header.After > first.Last ? $"records {first.Last + 1} to {header.After} are in neither {before} nor {after}"
            : header.After == 0 && second.Gaps.Any(g => g.Content is GapContent gap && gap.Cause.StartsWith(GapContent.Anew, StringComparison.Ordinal))
                ? $"{after} does not go on from {before}: it begins anew, because the ledger before was lost with its store. Neither proves what was entered between record {first.Last} of the one and record 1 of the other"
            : $"{after} begins before {before} ends: what both hold is to be the same, and is not compared here";
    }

    private static int VerifyProof(string path, List<string> trusted, bool isJson)
    {
        if (LedgerProof.FromJson(File.ReadAllBytes(path)) is not { } proof)
        {
            return Terminal.Fail($"{path}: error: this is neither an export nor a proof of 'edgegateway ledger'", Terminal.BadInput);
        }

        var problem = proof.Check(trusted);
        if (isJson)
        {
            Console.WriteLine(JsonSerializer.Serialize(new ProofVerdictDocument(problem is null, problem, DeviceKey.Fingerprint(proof.PublicKey), trusted.Count > 0), LedgerDocuments.Default.ProofVerdictDocument));
        }
        else
        {
            Console.WriteLine(problem is null ? $"{path}: the record is in the ledger" : $"{path}: NOT PROVEN: {problem}");
            if (problem is null)
            {
                Console.WriteLine(Encoding.UTF8.GetString(proof.Record.Span));
                PrintKeys([DeviceKey.Fingerprint(proof.PublicKey)], trusted.Count > 0);
            }
        }

        return problem is null ? Terminal.Success : Terminal.Failure;
    }

    private static void Print(string path, LedgerVerdict verdict)
    {
        if (verdict.Fault is { } fault)
        {
            Console.WriteLine($"{path}: NOT AS WRITTEN: {fault}");
            Console.WriteLine($"before it: {verdict.Records} records are right{(verdict.Records > 0 ? $", up to number {verdict.Last}" : "")}");
            return;
        }

        Console.WriteLine($"{path}: as it was written: gateway {verdict.Header!.Gateway}, {verdict.Records} records, {verdict.Header.After + 1} to {verdict.Last}, {verdict.Seals} days sealed");
        if (verdict.Header.After > 0)
        {
            Console.WriteLine(verdict.ClosedBy > 0
                ? $"records up to {verdict.Header.After} were removed after their time: record {verdict.ClosedBy}, signed, says so and by which link they ended"
                : $"records up to {verdict.Header.After} are not in this file");
        }

        var unsealed = verdict.Last - Math.Max(verdict.SealedThrough, verdict.Header.After);
        Console.WriteLine(unsealed <= 0 || verdict.IsFooterSigned
            ? "signed to its end"
            : $"signed up to record {verdict.SealedThrough}; the footer has no signature: the last {unsealed} records could have been written by anybody");
        foreach (var gap in verdict.Gaps)
        {
            var content = (GapContent)gap.Content;
            Console.WriteLine($"record {gap.Number} says that something may be missing before it: {content.Cause}{(content.Last > 0 ? $" (emission {content.First} to {content.Last} of epoch {content.Epoch})" : "")}");
        }

        PrintKeys(verdict.Keys, verdict.IsTrusted);
    }

    private static void PrintKeys(IEnumerable<string> fingerprints, bool isTrusted)
    {
        foreach (var fingerprint in fingerprints)
        {
            Console.WriteLine($"key {fingerprint}{(isTrusted ? "" : ": the one that the file itself names; hold it against 'edgegateway ledger show --key-only' on the gateway, or give --key")}");
        }
    }

    private static Command Prove()
    {
        var number = new Argument<long>("NUMBER") { Description = "Number of the record: 'edgegateway ledger show' lists them." };
        var place = Place();
        var output = new Option<string?>("--output", "-o") { Description = "The file to write; standard output when absent.", HelpName = "FILE" };
        var configuration = CommonOptions.Configuration();
        var command = new Command(
            "prove",
            """
            Write the proof that one record is in the ledger: the record, its Merkle path and the signed seal of its day. 'ledger verify' checks
            it, and nothing else of the ledger is needed or given away. Exit code: 0 written, 1 there is no such record or it is not sealed yet, 2 bad input.
            """) { number, place, output, configuration };
        command.SetAction(result => Guard(() =>
        {
            if (Open(result.GetValue(place), result.GetValue(configuration)!) is not { } source)
            {
                return Terminal.BadInput;
            }

            var (proof, problem) = LedgerProof.Make(result.GetValue(number), source.Lines(), source.Header.PublicKey);
            if (proof is null)
            {
                return Terminal.Fail($"{source.Path}: {problem}");
            }

            if (result.GetValue(output) is { } path)
            {
                File.WriteAllBytes(path, proof.ToJson());
                Console.WriteLine($"{path}: record {result.GetValue(number)} is one of {proof.Count} under its seal, {proof.Path.Count} hashes prove it");
            }
            else
            {
                using var standard = Console.OpenStandardOutput();
                standard.Write(proof.ToJson());
            }

            return Terminal.Success;
        }));
        return command;
    }

    private static Command Recompute()
    {
        var place = Place();
        var configuration = CommonOptions.Configuration();
        var json = CommonOptions.Json();
        var command = new Command(
            "recompute",
            """
            Compute every entry again: from the sample log where a store still holds it, and all of them from the registers and factor sets in the
            ledger. Bit for bit; names the first difference. Exit code: 0 all agree, 1 one does not, 2 bad input.
            """) { place, configuration, json };
        command.SetAction((result, cancel) => Task.FromResult(Guard(() =>
        {
            if (Open(result.GetValue(place), result.GetValue(configuration)!) is not { } source)
            {
                return Terminal.BadInput;
            }

            SampleLogRecomputer? log = null;
            if (source.StoreDirectory is not null)
            {
                log = new SampleLogRecomputer(source.Path);
                log.Replay(cancel);
            }

            var entries = new LedgerRecomputer();
            foreach (var line in source.Lines())
            {
                cancel.ThrowIfCancellationRequested();
                if (line.Is(LedgerKind.Alarm) || line.Is(LedgerKind.Seal))
                {
                    continue;
                }

                var record = line.Record;
                entries.Take(record);
                log?.Take(record);
            }

            var difference = entries.Difference is { } one && (log?.Difference is not { } other || one.Record <= other.Record) ? one : log?.Difference;
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(
                    new RecomputedDocument(
                        difference is null, difference?.Record, difference?.What, entries.Agreed, entries.FromActivity, entries.NotRecomputed, entries.SumsWithoutParts, log?.Agreed ?? 0, log?.NotCompared ?? 0, log?.First?.ToString(), log?.Last?.ToString(), log?.Stopped),
                    LedgerDocuments.Default.RecomputedDocument));
            }
            else
            {
                Print(source.Path, difference, entries, log);
            }

            return difference is null ? Terminal.Success : Terminal.Failure;
        })));
        return command;
    }

    private static void Print(string path, LedgerDifference? difference, LedgerRecomputer entries, SampleLogRecomputer? log)
    {
        if (difference is not null)
        {
            Console.WriteLine($"{path}: DIFFERENT: {difference}");
        }

        if (log is not null)
        {
            Console.WriteLine(log.Agreed > 0 ? $"from the sample log: {log.Agreed} entries agree bit for bit, {log.First} to {log.Last}" : "from the sample log: it holds no whole entry that could be compared");
            if (log.NotCompared > 0)
            {
                Console.WriteLine($"not compared with the sample log: {log.NotCompared} entries that samples alone do not give (decided by a person, market based, or of a stack)");
            }

            if (log.Stopped is { } why)
            {
                Console.WriteLine($"the sample log was not read to its end: {why}");
            }
        }

        Console.WriteLine($"from the ledger itself: {entries.Agreed} entries agree bit for bit{(entries.FromActivity > 0 ? $"; {entries.FromActivity} of them from their activity, because registers do not tell it (gauges, sums, roll-over, reset, exchange)" : "")}");
        if (entries.SumsWithoutParts > 0)
        {
            Console.WriteLine(
                $"not recomputed: {entries.SumsWithoutParts} totals and remainders (of the site, of areas, behind meters), because the program that made them did not write into the ledger of which entries they are sums; the entries themselves are recomputed");
        }

        if (entries.NotRecomputed > entries.SumsWithoutParts)
        {
            Console.WriteLine(
                $"not recomputed: {entries.NotRecomputed - entries.SumsWithoutParts} entries whose configuration or factor set is not in this part of the ledger, or whose mass no factor set gives (decided by a person, market based, or of a stack), and sums of such an interval that is not whole");
        }
    }

    private static Command Show()
    {
        var place = Place();
        var configuration = CommonOptions.Configuration();
        var number = new Option<long?>("--number", "-n") { Description = "Only this record, in full.", HelpName = "NUMBER" };
        var kind = new Option<string?>("--kind") { Description = $"Only records of a kind: {string.Join(", ", Enum.GetValues<LedgerKind>().Select(k => k.Word()))}.", HelpName = "KIND" };
        var last = new Option<int>("--last") { Description = "How many records, the newest.", HelpName = "COUNT", DefaultValueFactory = _ => 20 };
        var keyOnly = new Option<bool>("--key-only") { Description = "Only the fingerprint of the key that signs." };
        var json = CommonOptions.Json();
        var command = new Command("show", "Show the newest records of the ledger, or one of them. Exit code: 0 shown, 1 there is none, 2 bad input.") { place, number, kind, last, keyOnly, configuration, json };
        command.SetAction(result => Guard(() =>
        {
            LedgerKind? only = null;
            if (result.GetValue(kind) is { } word)
            {
                var kinds = Enum.GetValues<LedgerKind>().Where(k => k.Word() == word).ToArray();
                if (kinds is not [var found])
                {
                    return Terminal.Fail($"There is no kind '{word}'. {Core.Configuration.Spelling.Hint(word, Enum.GetValues<LedgerKind>().Select(k => k.Word()))}Known: {string.Join(", ", Enum.GetValues<LedgerKind>().Select(k => k.Word()))}.", Terminal.BadInput);
                }

                only = found;
            }

            if (Open(result.GetValue(place), result.GetValue(configuration)!) is not { } source)
            {
                return Terminal.BadInput;
            }

            if (result.GetValue(keyOnly))
            {
                Console.WriteLine(DeviceKey.Fingerprint(source.Header.PublicKey));
                return Terminal.Success;
            }

            var most = Math.Max(1, result.GetValue(last));
            var newest = new Queue<LedgerLine>(most);
            foreach (var line in source.Lines())
            {
                if (result.GetValue(number) is { } wanted ? line.Record.Number != wanted : only is { } k && !line.Is(k))
                {
                    continue;
                }

                if (newest.Count == most)
                {
                    newest.Dequeue();
                }

                newest.Enqueue(line);
            }

            if (newest.Count == 0)
            {
                return Terminal.Fail("There is no such record in the ledger.");
            }

            foreach (var line in newest)
            {
                Console.WriteLine(result.GetValue(json) || result.GetValue(number) is not null ? Encoding.UTF8.GetString(line.Body.Span) : Sentence(line.Record));
            }

            return Terminal.Success;
        }));
        return command;
    }

    /// <summary>One line for a person.</summary>
    private static string Sentence(LedgerRecord record) => string.Create(CultureInfo.InvariantCulture, $"{record.Number,8}  {record.Time.ToString()[..19]}Z  {record.Content.Kind.Word(),-13} {record.Content switch
    {
        OpeningContent opening => $"gateway {opening.Gateway}, key {DeviceKey.Fingerprint(opening.PublicKey)[..16]}",
        KeyContent key => $"key {DeviceKey.Fingerprint(key.PublicKey)[..16]}: {key.Reason}",
        ConfigurationContent configuration => $"{configuration.Hash[..12]}, {configuration.Accounts.Count} accounts, program {configuration.Program}",
        FactorsContent factors => new FactorSetName(factors.Id, factors.Version, factors.Hash).ToString(),
        EmissionContent entry => $"{entry.Device ?? entry.Entry.Area ?? "site"} {entry.Entry.Account.Word()} {entry.Entry.Method} {entry.Entry.Start.ToString()[..16]}Z {(entry.Unit == "1" ? "" : $"{entry.Activity} {entry.Unit} ")}{(entry.IsRemoval ? "removed " : "")}{entry.Mass} mg CO2e {entry.Entry.FactorId}{(entry.Entry.Coverage < 1 ? $" coverage {entry.Entry.Coverage:P0}" : "")}",
        RestatementContent restatement => $"{restatement.Device} {restatement.Method} {restatement.Month.ToString()[..7]}: {restatement.Before} mg by {restatement.From}, {restatement.After} mg by {restatement.To}, {restatement.Delta:+#;-#;0} mg",
        CalibrationContent calibration => $"{calibration.Device} {calibration.Point} {calibration.Action}{(calibration.Passed is { } passed ? passed ? " passed" : " FAILED" : "")}",
        DecisionContent decision => string.Create(CultureInfo.InvariantCulture, $"{decision.Device} {decision.Method} {decision.Action} {decision.Factor} kg{(decision.Who.Length > 0 ? $" by {decision.Who}" : "")}{(decision.Reason.Length > 0 ? $": {decision.Reason}" : "")}"),
        AlarmContent alarm => $"{alarm.Alarm} {alarm.Change}, {alarm.Priority}",
        GapContent gap => gap.Cause,
        SealContent seal => $"{seal.Day.ToString()[..10]}: records {seal.First} to {seal.Last}, root {seal.Root[..16]}",
        ClosingContent closing => $"records up to {closing.Through} removed: {closing.Reason}",
        _ => "",
    }}");

    private static LedgerSource? Open(string? place, string configuration)
    {
        if (place is null)
        {
            if (CommonOptions.Load(configuration, null) is not { } site)
            {
                return null;
            }

            place = site.Model.Storage.Directory;
        }

        return LedgerSource.Open(place);
    }

    /// <summary>The part of a ledger from a record on: its header says by which link it goes on.</summary>
    private static (LedgerHeader Header, IEnumerable<LedgerLine> Lines) Later(LedgerHeader header, LedgerSource source, long first)
    {
        var (link, number, key) = (Convert.FromHexString(header.Head), header.After, header.PublicKey);
        foreach (var line in source.Lines())
        {
            if (number + 1 >= first)
            {
                break;
            }

            if (line.Is(LedgerKind.Key))
            {
                key = ((KeyContent)line.Record.Content).PublicKey;
            }

            (link, number) = (LedgerLink.Of(link, line.Body.Span), number + 1);
        }

        return number + 1 == first
            ? (header with { PublicKey = key, After = number, Head = LedgerLink.Text(link) }, source.Lines().Skip((int)(number - header.After)))
            : throw new InvalidDataException($"there is no record {first}: the last one is {number}");
    }

    private static int Guard(Func<int> action)
    {
        try
        {
            return action();
        }
        catch (OperationCanceledException)
        {
            return Terminal.Fail("Interrupted.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or StoreException)
        {
            return Terminal.Fail($"error: {e.Message}", Terminal.BadInput);
        }
    }

    private static LedgerVerdictDocument Document(LedgerVerdict verdict) => new(
        verdict.Fault is null, verdict.Fault?.Record, verdict.Fault?.Line, verdict.Fault?.What, verdict.Header?.Gateway, verdict.Header?.After + 1, verdict.Last, verdict.Records, verdict.Seals,
        verdict.SealedThrough, verdict.IsFooterSigned, verdict.IsTrusted, verdict.Keys, [.. verdict.Gaps.Select(g => g.Number)]);
}

/// <summary>What <c>ledger verify</c> found, for programs.</summary>
internal sealed record LedgerVerdictDocument(
    bool AsWritten, long? FaultRecord, long? FaultLine, string? Fault, string? Gateway, long? First, long Last, long Records, long Seals, long SealedThrough, bool FooterSigned, bool KeyTrusted, IReadOnlyList<string> Keys,
    IReadOnlyList<long> Gaps);

/// <summary>What <c>ledger verify</c> found of a proof, for programs.</summary>
internal sealed record ProofVerdictDocument(bool Proven, string? Problem, string Key, bool KeyTrusted);

/// <summary>What <c>ledger recompute</c> found, for programs.</summary>
internal sealed record RecomputedDocument(
    bool Agrees, long? DifferentRecord, string? Difference, long FromLedger, long FromActivity, long NotRecomputed, long SumsWithoutParts, long FromSampleLog, long NotCompared, string? SampleLogFirst, string? SampleLogLast, string? SampleLogStopped);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LedgerVerdictDocument))]
[JsonSerializable(typeof(ProofVerdictDocument))]
[JsonSerializable(typeof(RecomputedDocument))]
internal sealed partial class LedgerDocuments : JsonSerializerContext;
