using EdgeGateway.Commands;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Ledger;

namespace EdgeGateway.Stating;

/// <summary>What a person asks of a statement or a forecast, as the command line gives it.</summary>
/// <param name="Source">Ledger export or recorded feed.</param>
/// <param name="Configuration">Path of <c>gateway.yaml</c>; null when it was not given.</param>
/// <param name="Profiles">Directory of profiles, or null for the usual places.</param>
/// <param name="Period">Day, month or year as it is written; null for the month of the last entry.</param>
/// <param name="Device">A device id, or null.</param>
/// <param name="Area">An area, or null.</param>
/// <param name="Scenarios">File of scenarios, or null.</param>
/// <param name="Keys">PEM files of keys that must have signed.</param>
/// <param name="WithForecast">Whether to forecast.</param>
internal sealed record StatementRequest(
    string Source, string? Configuration, string? Profiles, string? Period, string? Device, string? Area, string? Scenarios, IReadOnlyList<string> Keys, bool WithForecast)
{
    // A period after every entry: what comes before it is history.
    private const string FarAhead = "9998";

    /// <summary>Makes the statement, or prints why it cannot be made.</summary>
    /// <param name="language">Receives the language of the site; English when no configuration was given.</param>
    /// <param name="code">Receives the exit code where there is none.</param>
    /// <param name="cancel">Ends it with an exception.</param>
    public Statement? Make(out string language, out int code, CancellationToken cancel)
    {
        (language, code) = ("en", Terminal.BadInput);
        try
        {
            if (!File.Exists(Source))
            {
                code = Terminal.Fail($"There is no file '{Source}'. Write one with 'edgegateway ledger export', or record the feed with 'edgegateway verify-feed --record'.", Terminal.BadInput);
                return null;
            }

            if (Device is not null && Area is not null)
            {
                code = Terminal.Fail("A statement is of a device or of an area: name one of --device and --area.", Terminal.BadInput);
                return null;
            }

            var site = Site(ref language);
            if (site is null)
            {
                return null;
            }

            if (Area is not null && !site.Devices.Values.Any(d => d.Area == Area))
            {
                var areas = site.Devices.Values.Select(d => d.Area).OfType<string>().Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
                code = Terminal.Fail(areas.Count == 0 ? "Areas are known from the configuration: name it with --config FILE." : $"There is no area '{Area}'. {Spelling.Hint(Area, areas)}Known: {string.Join(", ", areas)}.", Terminal.BadInput);
                return null;
            }

            PeakInput? scenarios = null;
            if (Scenarios is not null && (scenarios = ReadScenarios(Scenarios)) is null)
            {
                return null;
            }

            var keys = Keys.Select(k => LedgerKey.ReadPublic(File.ReadAllText(k))).ToList();
            if (PeriodOf(site, cancel) is not { } period)
            {
                code = Terminal.Fail($"'{Period}' is no day, month or year. Write 2026-10-31, 2026-10 or 2026.", Terminal.BadInput);
                return null;
            }

            var subject = Device is not null ? StatementSubject.Device(Device) : Area is not null ? StatementSubject.Area(Area) : StatementSubject.Site;
            var builder = new StatementBuilder(site, period, subject, FactorSet.BuiltIn());
            var source = EntrySource.Read(Source, keys, builder, Console.Error.WriteLine, cancel);
            return builder.Build(source, WithForecast, scenarios);
        }
        catch (OperationCanceledException)
        {
            code = Terminal.Fail("Interrupted: nothing was written.");
        }
        catch (EmissionRefusedException e)
        {
            code = Terminal.Fail(e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            code = Terminal.Fail(e.Message, Terminal.BadInput);
        }

        return null;
    }

    /// <summary>Reads a file of scenarios and prints what is wrong with it.</summary>
    internal static PeakInput? ReadScenarios(string path)
    {
        try
        {
            var (scenarios, problems) = ScenariosLoader.Load(new SourceText(path, File.ReadAllText(path)));
            Terminal.Print(problems, Console.Error);
            return scenarios;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{path}: error: {e.Message}");
            return null;
        }
    }

    private StatementSite? Site(ref string language)
    {
        var header = EntrySource.HeaderOf(Source);
        if (Configuration is null)
        {
            return new() { Id = header?.Gateway ?? "unknown", Name = header?.Gateway ?? Path.GetFileNameWithoutExtension(Source), Gateway = header?.Gateway ?? "unknown", Zone = TimeZoneInfo.Utc };
        }

        if (CommonOptions.Load(Configuration, Profiles) is not { } loaded)
        {
            return null;
        }

        if (header is not null && header.Gateway != loaded.Model.GatewayId)
        {
            Console.Error.WriteLine($"{Source} is the ledger of the gateway '{header.Gateway}', and {Configuration} configures '{loaded.Model.GatewayId}'. Name the configuration that belongs to it.");
            return null;
        }

        language = loaded.Model.Language;
        return StatementSite.From(loaded.Model);
    }

    private StatementPeriod? PeriodOf(StatementSite site, CancellationToken cancel)
    {
        if (Period is not null)
        {
            return StatementPeriod.Parse(Period, site.Zone);
        }

        // Without a period the month of the newest entry; the source is read once for it.
        var probe = new StatementBuilder(site, StatementPeriod.Parse(FarAhead, site.Zone)!, StatementSubject.Site, FactorSet.BuiltIn());
        _ = EntrySource.Read(Source, [], probe, _ => { }, cancel);
        return StatementPeriod.Of(PeriodLength.Month, probe.LastEntry ?? throw new EmissionRefusedException($"There is no entry of the carbon account in {Source}."), site.Zone);
    }
}
