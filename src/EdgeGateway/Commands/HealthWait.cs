using System.Text.Json;
using EdgeGateway.Control;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway status --wait-healthy</c>: what an upgrade asks before it lets the version before go.</summary>
internal static class HealthWait
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits until the gateway works.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="limit">How long at most.</param>
    /// <param name="before">What <c>status --json</c> of the version before said, a file; null when nobody asked it.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<int> RunAsync(string configuration, string? profiles, TimeSpan limit, string? before, CancellationToken cancel)
    {
        if (CommonOptions.Load(configuration, profiles) is not { } site)
        {
            return Terminal.BadInput;
        }

        var known = Earlier(before);

        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        while (true)
        {
            var (why, asBefore) = await AskAsync(site, known, cancel).ConfigureAwait(false);
            if (why is null)
            {
                Console.WriteLine($"Healthy after {time.GetElapsedTime(started).TotalSeconds:F0} s: version {ProgramVersion.Text}, configuration {site.Model.ConfigurationHash[..12]}.{(asBefore.Count > 0 ? $" Not mended, and as before: {string.Join("; ", asBefore)}." : "")}");
                return Terminal.Success;
            }

            if (time.GetElapsedTime(started) >= limit)
            {
                return Terminal.Fail($"Not healthy after {limit.TotalSeconds:F0} s: {why}.");
            }

            await Task.Delay(Pause, time, cancel).ConfigureAwait(false);
        }
    }

    private static async Task<(string? Problem, IReadOnlyList<string> AsBefore)> AskAsync(Hosting.LoadedSite site, EarlierHealth? before, CancellationToken cancel)
    {
        try
        {
            using var client = ControlClient.TryConnect(site.Model.Storage.Directory);
            return client is null ? ($"no gateway runs with its store in {site.Model.Storage.Directory}", [])
                : Judge(await client.GetAsync("status", ControlJson.Default.StatusDocument, cancel).ConfigureAwait(false), ProgramVersion.Text, site.Model.ConfigurationHash, site.Model.Devices.Count > 0, before);
        }
        catch (Exception e) when (e is HttpRequestException or UnauthorizedAccessException)
        {
            return (e.Message.TrimEnd('.'), []);
        }
    }

    /// <summary>Why a gateway does not work as it should after an upgrade. A device or a broker that is away is no fault of the program, nor is what was wrong before it.</summary>
    /// <param name="status">What it says.</param>
    /// <param name="version">The version that should run.</param>
    /// <param name="configuration">Hash of the configuration that should be in force.</param>
    /// <param name="hasDevices">Whether there is something to read.</param>
    /// <param name="before">What was wrong with the version before; null when nobody knows.</param>
    /// <returns>The first fault that is new, null when there is none; and those that are as they were.</returns>
    internal static (string? Problem, IReadOnlyList<string> AsBefore) Judge(StatusDocument status, string version, string configuration, bool hasDevices, EarlierHealth? before)
    {
        if (status.Version != version)
        {
            return ($"version {status.Version ?? "unknown"} runs, and this is {version}: it has not been restarted", []);
        }

        if (status.Configuration != configuration)
        {
            return ($"configuration {Short(status.Configuration)} is in force, and the file says {Short(configuration)}{(status.Problems.Count > 0 ? $" ({status.Problems[0]})" : "")}", []);
        }

        List<(string Text, bool WasThere)> faults = [];
        var isStoreAsBefore = status.Storage is { State: not EarlierHealth.Ok } storage && before?.StoreState == storage.State;
        if (status.Storage is not { State: EarlierHealth.Ok })
        {
            faults.Add(($"the store is in the state {status.Storage?.State ?? "unknown"}{(status.Problems.Count > 0 ? $" ({status.Problems[0]})" : "")}", isStoreAsBefore));
        }

        faults.AddRange(status.Problems.Where(EarlierHealth.IsBlocked).Select(p => (p, before?.Blocked.Contains(EarlierHealth.LoopOf(p)) == true)));
        if (hasDevices && status.Samples == 0)
        {
            // While a store cannot be opened readings are handed on and not counted.
            faults.Add(("no reading has been taken yet", isStoreAsBefore || before?.HadReadings == false));
        }

        return (faults.Where(f => !f.WasThere).Select(f => f.Text).FirstOrDefault(), [.. faults.Where(f => f.WasThere).Select(f => f.Text)]);
    }

    private static EarlierHealth? Earlier(string? path)
    {
        try
        {
            return path is null ? null : EarlierHealth.Of(File.ReadAllText(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            Console.Error.WriteLine($"What was wrong before is not known: {path} cannot be used ({e.Message}).");
            return null;
        }
    }

    private static string Short(string hash) => hash[..Math.Min(hash.Length, 12)];
}
