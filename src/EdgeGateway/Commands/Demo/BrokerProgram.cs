using System.Diagnostics;
using System.Runtime.Versioning;

namespace EdgeGateway.Commands.Demo;

/// <summary>Finds the MQTT broker mosquitto on this computer, or installs it.</summary>
internal static class BrokerProgram
{
    private const string PolicyFile = "/usr/sbin/policy-rc.d";

    /// <summary>Path of mosquitto; installs the package as root, says what to install else.</summary>
    /// <exception cref="DemoException">It is missing and cannot be installed from here.</exception>
    public static async Task<string> FindOrInstallAsync(CancellationToken cancel)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new DemoException("The demo needs a POSIX shell and mosquitto: on Windows run it inside WSL.");
        }

        if (Find() is { } found)
        {
            return found;
        }

        var apt = Find("apt-get");
        if (apt is null || !Environment.IsPrivilegedProcess)
        {
            throw new DemoException($"""
                The demo needs the MQTT broker mosquitto, which is not installed. Install it and run the demo again:
                  {(apt is null ? "the package 'mosquitto' of your system (macOS: brew install mosquitto)" : "sudo apt-get install --no-install-recommends mosquitto")}
                The demo starts its own private broker on a free port; a mosquitto service is not needed.
                """);
        }

        await InstallAsync(apt, cancel).ConfigureAwait(false);
        return Find() ?? throw new DemoException("apt-get said that mosquitto was installed, but it is nowhere to be found.");
    }

    /// <summary>Path of mosquitto; null when it is not installed.</summary>
    public static string? Find() => Find("mosquitto");

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Concat(["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/opt/homebrew/sbin"])
            .Where(directory => directory.Length > 0)
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);

    [UnsupportedOSPlatform("windows")]
    private static async Task InstallAsync(string apt, CancellationToken cancel)
    {
        Console.WriteLine("The MQTT broker mosquitto is not installed. Installing the package with apt-get; no system service is started.");

        // Debian asks this script before a package starts its service (invoke-rc.d, exit code 101: not allowed). One that is there stays.
        var ours = !File.Exists(PolicyFile);
        if (ours)
        {
            await File.WriteAllTextAsync(PolicyFile, "#!/bin/sh\nexit 101\n", cancel).ConfigureAwait(false);
            File.SetUnixFileMode(PolicyFile, (UnixFileMode)0b111_101_101);
        }

        try
        {
            // An update that fails (one of several sources is away) need not keep the package from being had.
            await RunAsync(apt, ["update", "-qq"], cancel).ConfigureAwait(false);
            var (code, output) = await RunAsync(apt, ["install", "-y", "-qq", "--no-install-recommends", "mosquitto"], cancel).ConfigureAwait(false);
            if (code != 0)
            {
                throw new DemoException($"apt-get install mosquitto failed with exit code {code}:{Environment.NewLine}{output}");
            }
        }
        finally
        {
            if (ours)
            {
                File.Delete(PolicyFile);
            }
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, CancellationToken cancel)
    {
        Console.WriteLine($"  {Path.GetFileName(program)} {string.Join(' ', arguments)}");
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using var process = Process.Start(start) ?? throw new DemoException($"{program} cannot be started.");

        // Not ended when the demo is interrupted: a package manager is not cut off in the middle.
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        var lines = $"{await output.ConfigureAwait(false)}{await errors.ConfigureAwait(false)}".Split('\n');
        return (process.ExitCode, string.Join(Environment.NewLine, lines.TakeLast(20)));
    }
}
