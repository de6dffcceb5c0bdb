using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace EdgeGateway.Integration.Mqtt;

/// <summary>mqtt-exam as a child process with a folder of its own for messages, state and options; ended by its process id.</summary>
internal sealed class ExamProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgegateway-exam-");
    private readonly List<JsonElement> _events = [];
    private readonly StringBuilder _errors = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly string _version;
    private Process? _process;

    public ExamProcess(string version) => _version = version;

    /// <summary>Where the received messages stand.</summary>
    public string ReceivedFile => Path.Combine(_folder.FullName, "received.ndjson");

    /// <summary>What all processes so far said, in order.</summary>
    public IReadOnlyList<JsonElement> Events { get { lock (_events) { return [.. _events]; } } }

    /// <summary>Standard error of all processes so far.</summary>
    public string Errors { get { lock (_errors) { return _errors.ToString(); } } }

    /// <summary>Payloads in the received file, in order; a line that is just being written is left out.</summary>
    public IReadOnlyList<(string Topic, string Payload, int Qos)> Received
    {
        get
        {
            if (!File.Exists(ReceivedFile))
            {
                return [];
            }

            using var reader = new StreamReader(new FileStream(ReceivedFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            var text = reader.ReadToEnd();
            return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
            {
                using var document = JsonDocument.Parse(line);
                var root = document.RootElement;
                return (root.GetProperty("topic").GetString()!, root.GetProperty("payload").GetString()!, root.GetProperty("qos").GetInt32());
            })];
        }
    }

    /// <summary>Writes messages.ndjson.</summary>
    public void Write(IEnumerable<string> lines)
    {
        _folder.CreateSubdirectory("outbox");
        File.WriteAllLines(Path.Combine(_folder.FullName, "outbox", "messages.ndjson"), lines);
    }

    /// <summary>Starts it against a broker.</summary>
    /// <param name="port">Port of the broker, or of a relay.</param>
    /// <param name="options">Members of OPTIONS; received_file is added.</param>
    public void Start(int port, string options)
    {
        var dll = Path.Combine(AppContext.BaseDirectory, "mqtt-exam.dll");
        Assert.True(File.Exists(dll), $"{dll} is missing: build the solution");
        var optionsFile = Path.Combine(_folder.FullName, "options.json");
        File.WriteAllText(optionsFile, $"{{\"received_file\":{JsonSerializer.Serialize(ReceivedFile)},{options}}}");
        string[] arguments = [dll, "127.0.0.1", $"{port}", _version, Path.Combine(_folder.FullName, "outbox"), Path.Combine(_folder.FullName, "state"), optionsFile];
        _process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _process.OutputDataReceived += (_, line) => Heard(line.Data);
        _process.ErrorDataReceived += (_, line) => { lock (_errors) { _errors.AppendLine(line.Data); } };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Waits for events until they satisfy a condition.</summary>
    public async Task UntilAsync(Func<IReadOnlyList<JsonElement>, bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition(Events))
        {
            await _news.WaitAsync(TimeSpan.FromSeconds(1));
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"waited in vain until {what}; {Events.Count} events, the last: {(Events is [.., var last] ? last : default)} {Errors}");
        }
    }

    /// <summary>How many events of a name there were.</summary>
    public int Count(string name) => Events.Count(e => e.GetProperty("event").GetString() == name);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await ExitAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("/bin/kill", ["-TERM", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
        return await ExitAsync();
    }

    /// <summary>Waits for the end; returns the exit code.</summary>
    public async Task<int> ExitAsync()
    {
        try
        {
            await _process!.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            Assert.Fail($"mqtt-exam does not end; {Events.Count} events, the last: {string.Join('\n', Events.TakeLast(6))} {Errors}");
        }

        var code = _process.ExitCode;
        _process.Dispose();
        _process = null;
        return code;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            await KillAsync();
        }

        _process?.Dispose();
        _news.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Heard(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_events)
        {
            using var document = JsonDocument.Parse(line);
            _events.Add(document.RootElement.Clone());
        }

        _news.Release();
    }
}
