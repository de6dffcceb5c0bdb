using EdgeGateway.Control;

namespace EdgeGateway.Bench;

/// <summary>The program under measurement: <c>edgegateway</c> as built beside this one, or any other build of it.</summary>
internal sealed class GatewayProgram
{
    private readonly string _path;

    /// <param name="path">An executable or a <c>.dll</c>; null for the one built together with the benchmarks.</param>
    public GatewayProgram(string? path)
    {
        _path = Path.GetFullPath(path ?? Path.Combine(AppContext.BaseDirectory, "edgegateway.dll"));
        if (!File.Exists(_path))
        {
            throw new FileNotFoundException($"There is no gateway at {_path}. Build the solution with -c Release, or name the program with --gateway FILE.");
        }
    }

    public ChildProcess Start(string? cpus, params string[] arguments) => _path.EndsWith(".dll", StringComparison.Ordinal)
        ? ChildProcess.Start(cpus, "dotnet", [_path, .. arguments])
        : ChildProcess.Start(cpus, _path, arguments);

    /// <summary>Asks a gateway for its status; null while it does not listen yet.</summary>
    public static async Task<StatusDocument?> StatusAsync(string store)
    {
        using var client = ControlClient.TryConnect(store);
        return client is null ? null : await client.GetAsync("/status", ControlJson.Default.StatusDocument, CancellationToken.None).ConfigureAwait(false);
    }
}
