using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Configuration;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway factors</c>: the emission factors, and whether a set can be trusted.</summary>
internal static class FactorsCommand
{
    public static Command Create() => new("factors", "Show the emission factors, check factor sets, and decide on factors that follow a stack.")
    {
        List(), Show(), Verify(), Adapted(),
        Decide("approve", "Put what a factor has learnt from the stack in the place of the official factor, as it stands now.", "Approved"),
        Decide("withdraw", "Put the official factor back into force.", "Withdrawn"),
    };

    private static Option<string?> SetFile() => new("--file", "-f") { Description = "Another factor set than the one of the program.", HelpName = "FILE" };

    private static Command List()
    {
        var file = SetFile();
        var of = new Option<string?>("--of") { Description = "Only factors whose name begins so: electricity, fuel., gwp.AR6.", HelpName = "NAME" };
        var region = new Option<string?>("--region", "-r") { Description = "What holds in this region at the time, with what stands in for it.", HelpName = "CODE" };
        var at = new Option<DateTimeOffset?>("--at") { Description = "The time for --region; now when absent.", HelpName = "TIME" };
        var json = CommonOptions.Json();
        var command = new Command("list", "List factors: id, value, unit, validity, uncertainty, status.") { file, of, region, at, json };
        command.SetAction(result =>
        {
            if (Load(result.GetValue(file)) is not { } set)
            {
                return Terminal.BadInput;
            }

            var rows = set.Factors.Where(f => f.Of.StartsWith(result.GetValue(of) ?? "", StringComparison.Ordinal)).ToList();
            var notes = new Dictionary<string, string?>(StringComparer.Ordinal);
            if (result.GetValue(region) is { } place)
            {
                if (!set.KnownRegions.Contains(place, StringComparer.Ordinal))
                {
                    return Terminal.Fail($"There is no region '{place}'. {Spelling.Hint(place, set.KnownRegions)}Known: {string.Join(", ", set.KnownRegions)}.", Terminal.BadInput);
                }

                var time = Instant.From(result.GetValue(at) ?? TimeProvider.System.GetUtcNow());
                List<FactorMatch> matches = [.. rows.Select(f => f.Of).Distinct().Select(name => set.Find(name, place, time)).OfType<FactorMatch>()];
                matches.ForEach(m => notes[m.Factor.Id] = m.Note);
                rows = [.. matches.Select(m => m.Factor)];
            }

            if (rows.Count == 0)
            {
                return Terminal.Fail("No factor fits. 'edgegateway factors list' without options shows all.", Terminal.Failure);
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(Document(set, rows, notes), FactorsJson.Default.FactorsDocument));
                return Terminal.Success;
            }

            var table = new Table().Border(TableBorder.Rounded).AddColumn("factor").AddColumn(new TableColumn("value").RightAligned()).AddColumns("unit", "from", "to", "±", "status", "stands in");
            foreach (var factor in rows)
            {
                table.AddRow(
                    Markup.Escape(factor.Id), Number(factor.Value), Markup.Escape(factor.Unit), Day(factor.Source.ValidFrom), Day(factor.Source.ValidTo), Percent(factor), factor.Status.Word(), Markup.Escape(notes.GetValueOrDefault(factor.Id) ?? ""));
            }

            AnsiConsole.Write(table);
            Console.WriteLine($"{rows.Count} of {set.Factors.Count} factors, {set.Id} version {set.Version}, content {set.ContentHash[..12]}");
            return Terminal.Success;
        });
        return command;
    }

    private static Command Show()
    {
        var id = new Argument<string?>("FACTOR") { Description = "Id of a factor as entries and 'list' show it; the set itself when absent.", Arity = ArgumentArity.ZeroOrOne };
        var file = SetFile();
        var canonical = new Option<bool>("--canonical") { Description = "Write the canonical form of the set, which is what is hashed and signed." };
        var json = CommonOptions.Json();
        var command = new Command("show", "Show everything about one factor, or about the set.") { id, file, canonical, json };
        command.SetAction(result =>
        {
            if (Load(result.GetValue(file)) is not { } set)
            {
                return Terminal.BadInput;
            }

            if (result.GetValue(canonical))
            {
                using var output = Console.OpenStandardOutput();
                output.Write(set.Canonical.Span);
                return Terminal.Success;
            }

            if (result.GetValue(id) is not { } wanted)
            {
                if (result.GetValue(json))
                {
                    Console.WriteLine(JsonSerializer.Serialize(Document(set, [], []), FactorsJson.Default.FactorsDocument));
                    return Terminal.Success;
                }

                Console.WriteLine($"{set.Title}\nset      {set.Id} version {set.Version}\nfactors  {set.Factors.Count}: {string.Join(", ", set.Factors.CountBy(f => f.Status).OrderBy(s => s.Key).Select(s => $"{s.Value} {s.Key.Word()}"))}\nregions  {set.KnownRegions.Count}\ncontent  {set.ContentHash}");
                return Terminal.Success;
            }

            if (set.Factors.FirstOrDefault(f => f.Id == wanted) is not { } factor)
            {
                return Terminal.Fail($"There is no factor '{wanted}' in {set.Id} version {set.Version}. {Spelling.Hint(wanted, set.Factors.Select(f => f.Id))}'edgegateway factors list' shows all.", Terminal.BadInput);
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(Document(set, [factor], []), FactorsJson.Default.FactorsDocument));
                return Terminal.Success;
            }

            Console.WriteLine($"factor       {factor.Id}\nof           {factor.Of}\nregion       {(factor.Region is { } code ? $"{code}, {set.Region(code)!.Name}" : "everywhere")}\nvalue        {Number(factor.Value)} {factor.Unit}\nuncertainty  {Percent(factor)}");
            Console.WriteLine($"source       {factor.Source.Text}{(factor.Source.Published is { } year ? $" ({year.ToString(CultureInfo.InvariantCulture)})" : "")}\nholds        {factor.Source.ValidFrom?.ToString() ?? "from the beginning"} to {factor.Source.ValidTo?.ToString() ?? "no end"}; outside: {(factor.Source.StandsInBeyond ? "the nearest stands in" : "refused")}\nstatus       {factor.Status.Word()}{(factor.Note is { } note ? $"\nnote         {note}" : "")}");
            return Terminal.Success;
        });
        return command;
    }

    private static Command Verify()
    {
        var file = new Argument<string>("FILE") { Description = "The factor set." };
        var key = new Option<string?>("--key", "-k") { Description = "Public key (PEM) that must have signed it.", HelpName = "PEM" };
        var signature = new Option<string?>("--signature", "-s") { Description = "The signature, DER; FILE.sig when absent.", HelpName = "SIG" };
        var json = CommonOptions.Json();
        var command = new Command(
            "verify",
            """
            Check a factor set: grammar, what its rows say together, the hash it states, and with --key its signature (ECDSA over SHA-256
            of the canonical form). Exit code: 0 it can be used, 2 it cannot.
            """) { file, key, signature, json };
        command.SetAction(result =>
        {
            var path = result.GetValue(file)!;
            if (Load(path) is not { } set)
            {
                return Terminal.BadInput;
            }

            if (result.GetValue(key) is { } keyFile && !IsSigned(set, keyFile, result.GetValue(signature) ?? path + ".sig"))
            {
                return Terminal.BadInput;
            }

            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(Document(set, [], []), FactorsJson.Default.FactorsDocument));
            }
            else
            {
                Console.WriteLine($"{Summary(path, set)}{(result.GetValue(key) is null ? "" : ", signature valid")}\ncontent {set.ContentHash}");
            }

            return Terminal.Success;
        });
        return command;
    }

    private static Command Adapted()
    {
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command("adapted", "Show the factors of the running gateway that follow a stack, beside the official ones. Exit code: 0, or 1 when no gateway answers.") { configuration, profiles, json };
        command.SetAction((result, cancel) => StatusCommand.AskAsync(
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            "accounts",
            ControlJson.Default.AccountsDocument,
            result.GetValue(json) ? document => Console.WriteLine(JsonSerializer.Serialize(document, ControlJson.Default.AccountsDocument)) : ShowAdapted,
            _ => Terminal.Success,
            cancel));
        return command;
    }

    private static void ShowAdapted(AccountsDocument document)
    {
        if (document.Factors.Count == 0)
        {
            Console.WriteLine("No account has a factor that follows a stack; docs/methods.md shows how to declare one.");
            return;
        }

        var table = new Table().Border(TableBorder.Rounded).AddColumns("device", "method", "learnt", "±", "hours", "refused", "of its kind", "official", "in force");
        foreach (var factor in document.Factors)
        {
            table.AddRow(
                Markup.Escape(factor.Device),
                factor.Method,
                Number(Math.Round(factor.Factor, 6)),
                factor.UncertaintyPercent.ToString("0.##", CultureInfo.InvariantCulture) + " %",
                factor.Hours.ToString(CultureInfo.InvariantCulture),
                factor.Refused.ToString(CultureInfo.InvariantCulture),
                factor.Cluster is { } cluster ? $"{Number(Math.Round(cluster.Shrunk, 6))} (common {Number(Math.Round(cluster.Common, 6))} of {cluster.Devices} at {cluster.Load} load)" : "",
                factor.OfficialFactor is { } official ? Number(Math.Round(official, 6)) : "",
                factor.ApprovedFactor is { } approved ? Markup.Escape($"{Number(Math.Round(approved, 6))} by {factor.ApprovedBy}") : "official");
        }

        AnsiConsole.Write(table);
        if (document.Pairs is { Count: > 0 })
        {
            var together = new Table().Border(TableBorder.Rounded).AddColumns("refused together", "hours of both", "refused", "of the other", "of both", "lift");
            foreach (var pair in document.Pairs)
            {
                together.AddRow([
                    Markup.Escape($"{pair.Device}, {pair.Other}"),
                    .. new[] { pair.Hours, pair.Refused, pair.OtherRefused, pair.Together }.Select(n => n.ToString(CultureInfo.InvariantCulture)),
                    pair.Lift?.ToString("0.##", CultureInfo.InvariantCulture) ?? $"from {FactorPair.LeastEvents} hours on",
                ]);
            }

            AnsiConsole.Write(together);
        }

        Console.WriteLine("kg CO2 for one unit of the activity; 'of its kind' is the factor drawn towards those of devices with the same fuel, unit and load. 'edgegateway factors approve DEVICE' puts what was learnt into force.");
    }

    private static Command Decide(string action, string description, string done)
    {
        var device = new Argument<string>("DEVICE") { Description = "Id of the device whose account it is." };
        var method = new Argument<string?>("METHOD") { Description = "Method of the account; may be left out where only one has such a factor.", Arity = ArgumentArity.ZeroOrOne };
        var reason = AccountOrders.Reason();
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = CommonOptions.Json();
        var command = new Command(action, $"{description} Entries made before keep theirs. Exit code: 0 done and on the disk, 1 no gateway answers, 2 refused.") { device, method, reason, configuration, profiles, json };
        command.SetAction((result, cancel) => AccountOrders.SendAsync(
            new AccountOrderDocument { Action = action, Device = result.GetValue(device)!, Method = result.GetValue(method), Reason = result.GetValue(reason)! },
            result.GetValue(configuration)!,
            result.GetValue(profiles),
            result.GetValue(json) ? null : $"{done}: {result.GetValue(device)}.",
            cancel));
        return command;
    }

    /// <summary>Checks a set and prints what is wrong with it, or what it holds.</summary>
    internal static bool IsUsable(string path)
    {
        var set = Load(path);
        Console.WriteLine(set is null ? $"{path}: not usable" : Summary(path, set));
        return set is not null;
    }

    private static string Summary(string path, FactorSet set) => $"{path}: factor set {set.Id} version {set.Version}, {set.Factors.Count} factors, {set.KnownRegions.Count} regions: usable";

    private static bool IsSigned(FactorSet set, string keyFile, string signatureFile)
    {
        try
        {
            if (set.IsSignedBy(File.ReadAllText(keyFile), File.ReadAllBytes(signatureFile)))
            {
                return true;
            }

            Console.Error.WriteLine($"{signatureFile}: error: this is not the signature of the set by the key {keyFile}. Sign what 'edgegateway factors show --canonical' writes, or check with the signer's key.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"error: {e.Message}");
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            Console.Error.WriteLine($"{keyFile}: error: the file holds no public key of an elliptic curve in PEM ({e.Message})");
        }

        return false;
    }

    private static FactorSet? Load(string? file)
    {
        if (file is null)
        {
            return FactorSet.BuiltIn();
        }

        try
        {
            var (set, problems) = FactorSetLoader.Load(new SourceText(file, File.ReadAllText(file)));
            Terminal.Print(problems, Console.Error);
            return set;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{file}: error: {e.Message}");
            return null;
        }
    }

    private static FactorsDocument Document(FactorSet set, IEnumerable<Factor> factors, Dictionary<string, string?> notes) => new(
        set.Id,
        set.Version,
        set.ContentHash,
        [.. factors.Select(f => new FactorDocument(
            f.Id, f.Of, f.Region, f.Value, f.Unit, double.IsFinite(f.UncertaintyPercent) ? f.UncertaintyPercent : null, f.Source.Text, f.Source.Published,
            f.Source.ValidFrom?.ToString(), f.Source.ValidTo?.ToString(), f.Status.Word(), f.Note, notes.GetValueOrDefault(f.Id)))]);

    private static string Number(decimal value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Percent(Factor factor) => double.IsFinite(factor.UncertaintyPercent) ? $"{factor.UncertaintyPercent.ToString(CultureInfo.InvariantCulture)} %" : "not known";

    private static string Day(Instant? time) => time?.ToString()[..10] ?? "";
}

/// <summary>A factor set, or some of its factors, for programs.</summary>
internal sealed record FactorsDocument(string Set, int Version, string ContentHash, IReadOnlyList<FactorDocument> Factors);

/// <summary>A factor for programs; what is not known is left out.</summary>
internal sealed record FactorDocument(
    string Id, string Of, string? Region, decimal Value, string Unit, double? UncertaintyPercent, string Source, int? Published, string? From, string? To, string Status, string? Note, string? StandsIn);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FactorsDocument))]
internal sealed partial class FactorsJson : JsonSerializerContext;
