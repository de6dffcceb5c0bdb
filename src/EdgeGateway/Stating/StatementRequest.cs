using EdgeGateway.Commands;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Accounting.Forecasting;
using EdgeGateway.Core.Accounting.Statements;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Ledger;
using EdgeGateway.Core.Site;
using StoreException = EdgeGateway.Storage.StoreException;

namespace EdgeGateway.Stating;

/// <summary>What a person asks of a statement or a forecast, as the command line gives it.</summary>
/// <param name="From">A ledger (export, store, directory of a store) or a recorded feed; null for the store of the configuration.</param>
/// <param name="Configuration">Path of <c>gateway.yaml</c>; null when it was not given.</param>
/// <param name="Profiles">Directory of profiles, or null for the usual places.</param>
/// <param name="Period">Day, month or year as it is written; null for the month of the last entry.</param>
/// <param name="Device">A device id, or null.</param>
/// <param name="Area">An area, or null.</param>
/// <param name="Scenarios">File of scenarios, or null.</param>
/// <param name="Keys">PEM files of keys that must have signed.</param>
/// <param name="WithForecast">Whether to forecast.</param>
internal sealed record StatementRequest(
    string? From, string? Configuration, string? Profiles, string? Period, string? Device, string? Area, string? Scenarios, IReadOnlyList<string> Keys, bool WithForecast)
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
            if (Device is not null && Area is not null)
            {
                code = Terminal.Fail("A statement is of a device or of an area: name one of --device and --area.", Terminal.BadInput);
                return null;
            }

            SiteModel? model = null;
            if (Configuration is not null && (model = CommonOptions.Load(Configuration, Profiles)?.Model) is null)
            {
                return null;
            }

            if ((From ?? model?.Storage.Directory) is not { } place)
            {
                code = Terminal.Fail("Name where the entries are: --from FILE with an export of the ledger, or --config FILE for the store of its gateway.", Terminal.BadInput);
                return null;
            }

            if (!File.Exists(place) && !Directory.Exists(place))
            {
                code = Terminal.Fail($"There is no '{place}'. Name an export of 'edgegateway ledger export', a store, or a feed as 'edgegateway verify-feed --record' writes it.", Terminal.BadInput);
                return null;
            }

            if (SiteOf(place, model) is not { } site)
            {
                return null;
            }

            language = model?.Language ?? language;

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

            var keys = Keys.Select(k => DeviceKey.ReadPublic(File.ReadAllText(k))).ToList();
            if (PeriodOf(place, site, cancel) is not { } period)
            {
                code = Terminal.Fail($"'{Period}' is no day, month or year. Write 2026-10-31, 2026-10 or 2026.", Terminal.BadInput);
                return null;
            }

            var subject = Device is not null ? StatementSubject.Device(Device) : Area is not null ? StatementSubject.Area(Area) : StatementSubject.Site;
            var builder = new StatementBuilder(site, period, subject, model?.FactorsInForce ?? FactorSet.BuiltIn());
            var source = EntrySource.Read(place, keys, builder, Console.Error.WriteLine, cancel);
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or StoreException)
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

    private static StatementSite? SiteOf(string place, SiteModel? model)
    {
        var header = EntrySource.HeaderOf(place);
        if (model is null)
        {
            return new() { Id = header?.Gateway ?? "unknown", Name = header?.Gateway ?? Path.GetFileNameWithoutExtension(place), Gateway = header?.Gateway ?? "unknown", Zone = TimeZoneInfo.Utc };
        }

        if (header is not null && header.Gateway != model.GatewayId)
        {
            Console.Error.WriteLine($"{place} is the ledger of the gateway '{header.Gateway}', and the configuration is that of '{model.GatewayId}'. Name the configuration that belongs to it.");
            return null;
        }

        return StatementSite.From(model);
    }

    private StatementPeriod? PeriodOf(string place, StatementSite site, CancellationToken cancel)
    {
        if (Period is not null)
        {
            return StatementPeriod.Parse(Period, site.Zone);
        }

        // Without a period the month of the newest entry; the source is read once for it.
        var probe = new StatementBuilder(site, StatementPeriod.Parse(FarAhead, site.Zone)!, StatementSubject.Site, FactorSet.BuiltIn());
        _ = EntrySource.Read(place, [], probe, _ => { }, cancel);
        return StatementPeriod.Of(PeriodLength.Month, probe.LastEntry ?? throw new EmissionRefusedException($"There is no entry of the carbon account in {place}."), site.Zone);
    }
}
