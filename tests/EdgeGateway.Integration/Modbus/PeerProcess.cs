using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace EdgeGateway.Integration.Modbus;

/// <summary>A foreign program that a test talks to. It is ended by its own process id, and ends by itself when its standard input closes.</summary>
public sealed class PeerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RunLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private bool _isDisposed;

    private PeerProcess(Process process) => _process = process;

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>The number after "ready", which peers use for their port.</summary>
    public int ReadyNumber { get; private set; }

    /// <summary>Starts a program and waits for its line "ready N".</summary>
    /// <exception cref="InvalidOperationException">It is missing or ended early; the message says which Debian package helps.</exception>
    public static async Task<PeerProcess> StartAsync(string program, string package, params string[] arguments)
    {
        var peer = Start(program, package, arguments);
        try
        {
            using var limit = new CancellationTokenSource(StartLimit);
            while (await peer._process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.StartsWith("ready ", StringComparison.Ordinal))
                {
                    peer.ReadyNumber = int.Parse(line.AsSpan(6), CultureInfo.InvariantCulture);
                    return peer;
                }
            }

            await peer._process.WaitForExitAsync(limit.Token);
            throw new InvalidOperationException($"{program} ended before it served: {peer._errors}\nIs its Debian package installed? Run: apt-get install {package}");
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program to its end and returns what it wrote to its standard output.</summary>
    /// <exception cref="InvalidOperationException">It is missing or ended with an error, which the message tells.</exception>
    public static async Task<string> RunAsync(string program, string package, params string[] arguments)
    {
        await using var peer = Start(program, package, arguments);
        using var limit = new CancellationTokenSource(RunLimit);
        var output = await peer._process.StandardOutput.ReadToEndAsync(limit.Token);
        await peer._process.WaitForExitAsync(limit.Token);
        return peer._process.ExitCode == 0 ? output : throw new InvalidOperationException($"{peer} ended with code {peer._process.ExitCode} and wrote:\n{output}");
    }

    /// <summary>Starts a program that says nothing when it is ready.</summary>
    public static PeerProcess Start(string program, string package, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            PeerProcess peer = new(Process.Start(start)!);
            peer._process.ErrorDataReceived += (_, line) => peer._errors.AppendLine(line.Data);
            peer._process.BeginErrorReadLine();
            return peer;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException($"{program} cannot be started ({missing.Message}). Install its Debian package: apt-get install {package}", missing);
        }
    }

    /// <summary>What the program wrote to its standard error so far.</summary>
    public override string ToString() => $"{_process.StartInfo.FileName} (pid {_process.Id}): {_errors}";

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
