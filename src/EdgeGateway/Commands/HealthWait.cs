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
    /// <param name="cancel">Gives up.</param>
    public static async Task<int> RunAsync(string configuration, string? profiles, TimeSpan limit, CancellationToken cancel)
    {
        if (CommonOptions.Load(configuration, profiles) is not { } site)
        {
            return Terminal.BadInput;
        }

        var time = TimeProvider.System;
        var started = time.GetTimestamp();
        while (true)
        {
            var why = await AskAsync(site, cancel).ConfigureAwait(false);
            if (why is null)
            {
                Console.WriteLine($"Healthy after {time.GetElapsedTime(started).TotalSeconds:F0} s: version {ProgramVersion.Text}, configuration {site.Model.ConfigurationHash[..12]}.");
                return Terminal.Success;
            }

            if (time.GetElapsedTime(started) >= limit)
            {
                return Terminal.Fail($"Not healthy after {limit.TotalSeconds:F0} s: {why}.");
            }

            await Task.Delay(Pause, time, cancel).ConfigureAwait(false);
        }
    }

    private static async Task<string?> AskAsync(Hosting.LoadedSite site, CancellationToken cancel)
    {
        try
        {
            using var client = ControlClient.TryConnect(site.Model.Storage.Directory);
            return client is null ? $"no gateway runs with its store in {site.Model.Storage.Directory}"
                : Problem(await client.GetAsync("status", ControlJson.Default.StatusDocument, cancel).ConfigureAwait(false), ProgramVersion.Text, site.Model.ConfigurationHash, site.Model.Devices.Count > 0);
        }
        catch (Exception e) when (e is HttpRequestException or UnauthorizedAccessException)
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Why a gateway does not work as it should after an upgrade; null when it does. A device or a broker that is away is no fault of the program.</summary>
    /// <param name="status">What it says.</param>
    /// <param name="version">The version that should run.</param>
    /// <param name="configuration">Hash of the configuration that should be in force.</param>
    /// <param name="hasDevices">Whether there is something to read.</param>
    internal static string? Problem(StatusDocument status, string version, string configuration, bool hasDevices) =>
        status.Version != version ? $"version {status.Version ?? "unknown"} runs, and this is {version}: it has not been restarted"
        : status.Configuration != configuration ? $"configuration {Short(status.Configuration)} is in force, and the file says {Short(configuration)}{(status.Problems.Count > 0 ? $" ({status.Problems[0]})" : "")}"
        : status.Storage is not { State: "ok" } ? $"the store is in the state {status.Storage?.State ?? "unknown"}{(status.Problems.Count > 0 ? $" ({status.Problems[0]})" : "")}"
        : status.Problems.FirstOrDefault(p => p.StartsWith("Blocked: ", StringComparison.Ordinal)) is { } blocked ? blocked
        : hasDevices && status.Samples == 0 ? "no reading has been taken yet"
        : null;

    private static string Short(string hash) => hash[..Math.Min(hash.Length, 12)];
}
