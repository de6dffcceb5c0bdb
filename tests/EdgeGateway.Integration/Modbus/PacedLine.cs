using System.Diagnostics;
using System.Globalization;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Modbus;

/// <summary>What a paced line counted.</summary>
/// <param name="Requests">Requests that came.</param>
/// <param name="Answered">Requests that were answered.</param>
/// <param name="Dropped">Requests that were not, because they broke the silence.</param>
/// <param name="LeastSilence">The shortest silence before a request.</param>
internal readonly record struct PacedLineCount(long Requests, long Answered, long Dropped, TimeSpan LeastSilence);

/// <summary>A serial line at the pace of a real wire, with a strict unit on it: tests/tools/paced-line, a double because there is no UART here.</summary>
internal sealed class PacedLine : IAsyncDisposable
{
    private static readonly Lazy<Task<string>> Program = new(CompileAsync);

    private readonly Process _process;
    private readonly string _folder;

    private PacedLine(Process process, string folder)
    {
        _process = process;
        _folder = folder;
    }

    /// <summary>The port for the client.</summary>
    public string Port => Path.Combine(_folder, "port");

    /// <summary>Lays a line with characters of 10 bits.</summary>
    /// <param name="baud">Its rate.</param>
    /// <param name="lump">How many characters the UART's FIFO collects before it hands them over.</param>
    public static async Task<PacedLine> CreateAsync(int baud, int lump)
    {
        var folder = Directory.CreateTempSubdirectory("edgegateway-line-").FullName;
        ProcessStartInfo start = new(
            await Program.Value, [Path.Combine(folder, "port"), baud.ToString(CultureInfo.InvariantCulture), "10", lump.ToString(CultureInfo.InvariantCulture)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        PacedLine line = new(Process.Start(start)!, folder);
        Assert.Equal("ready 0", await line._process.StandardOutput.ReadLineAsync());
        return line;
    }

    /// <summary>Takes the line down and tells what it counted.</summary>
    public async Task<PacedLineCount> EndAsync()
    {
        _process.StandardInput.Close();
        var words = (await _process.StandardOutput.ReadToEndAsync()).Split(' ');
        await _process.WaitForExitAsync();
        return new(Number(0), Number(1), Number(2), TimeSpan.FromMicroseconds(Number(6)));

        long Number(int at) => long.Parse(words[at], CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<string> CompileAsync()
    {
        // Under a name of its own: another test process may be running the same program.
        var program = Path.Combine(Directory.CreateTempSubdirectory("edgegateway-line-").FullName, "line");
        ProcessStartInfo compile = new("cc", ["-Wall", "-Wextra", "-Werror", "-O1", "-o", program, RepositoryFiles.At("tests/tools/paced-line/line.c")])
        {
            RedirectStandardError = true,
        };
        using var compiler = Process.Start(compile)!;
        var errors = await compiler.StandardError.ReadToEndAsync();
        await compiler.WaitForExitAsync();
        return compiler.ExitCode == 0 ? program : throw new InvalidOperationException($"the paced line does not compile: {errors}\nIs the compiler installed? Run: apt-get install gcc libc6-dev");
    }
}
