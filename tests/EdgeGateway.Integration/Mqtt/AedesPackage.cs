using EdgeGateway.Integration.Modbus;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>The broker Aedes beside these tests, in the pinned versions of its lock file; installed at first use.</summary>
internal static class AedesPackage
{
    private static readonly SemaphoreSlim Gate = new(1);

    /// <summary>Path of the script, with its packages installed.</summary>
    public static async Task<string> ScriptAsync()
    {
        var folder = RepositoryFiles.At("tests/EdgeGateway.Integration/Mqtt/aedes");
        await Gate.WaitAsync();
        try
        {
            // npm writes this file last.
            if (!File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
            {
                await PeerProcess.RunAsync("npm", "npm", "ci", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error");
            }
        }
        finally
        {
            Gate.Release();
        }

        return Path.Combine(folder, "broker.js");
    }
}
