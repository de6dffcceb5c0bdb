using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Verifying;

namespace EdgeGateway.Integration.Verifying;

/// <summary><c>edgegateway verify-feed</c> on recorded files and at a real broker, and the Python example of the documentation beside it.</summary>
public sealed class VerifyFeedTests : IDisposable
{
    private static readonly string[] Agreed = ["received", "redelivered", "explained", "missing"];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("edgegateway-verify-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_whole_recording_is_proven()
    {
        var (code, table, errors) = await GatewayProcess.CommandAsync("verify-feed", Feed("whole.ndjson"), "--deep");
        Assert.True(code == 0, table + errors);
        Assert.Contains("PROVEN: 5 records, no unexplained gap, no duplicate, also not under another number", table, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_missing_in_a_recording_is_named_with_its_reasons()
    {
        var (code, table, _) = await GatewayProcess.CommandAsync("verify-feed", Feed("broken.ndjson"));
        Assert.Equal(1, code);
        Assert.Contains("mine-7/gw-1/sample epoch 1: 10 evicted (evicted, 2026-03-01T12:00:00.000Z): 6-15", table, StringComparison.Ordinal);
        Assert.Contains("mine-7/gw-1/sample epoch 1: 5 thinned (60 s summaries stand for them, 2026-03-01T12:00:00.000Z): 16-20", table, StringComparison.Ordinal);
        Assert.Contains("mine-7/gw-1/sample epoch 1: 1 unreadable (unreadable, 2026-03-01T12:00:00.000Z): 28", table, StringComparison.Ordinal);
        Assert.Contains("nothing acquired (power or process, 2026-03-01T09:00:00.000Z to 2026-03-01T09:30:00.000Z)", table, StringComparison.Ordinal);
        Assert.Contains("mine-7/gw-1/sample epoch 1: 5 records are missing and nothing explains it: 29-30, 33-35.", table, StringComparison.Ordinal);
        Assert.Contains("mine-7/gw-1/range epoch 1: 1 record is missing and nothing explains it: 6.", table, StringComparison.Ordinal);
        Assert.Contains("broken.ndjson:22: not JSON", table, StringComparison.Ordinal);
        Assert.Contains("1 new epochs", table, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("whole.ndjson")]
    [InlineData("broken.ndjson")]
    public async Task The_example_in_the_documentation_comes_to_the_same_verdict(string name)
    {
        var (code, output, errors) = await GatewayProcess.CommandAsync("verify-feed", Feed(name), "--json");
        using var ours = JsonDocument.Parse(output.Length > 0 ? output : throw new InvalidOperationException(errors));
        var (exampleCode, exampleOutput) = await ExampleAsync(Feed(name));
        using var example = JsonDocument.Parse(exampleOutput);

        Assert.Equal(code, exampleCode);
        foreach (var field in (string[])["proven", "received", "missing", "unreadable", "skipped"])
        {
            Assert.Equal(ours.RootElement.GetProperty(field).GetRawText(), example.RootElement.GetProperty(field).GetRawText());
        }

        Assert.Equal(Streams(ours), Streams(example));
    }

    [Fact]
    public async Task What_cannot_be_used_is_said_with_exit_code_2()
    {
        await Refused("file", "none.ndjson", "verify-feed", Path.Combine(_folder.FullName, "none.ndjson"));
        await Refused("broker and file", "Name one broker, or files.", "verify-feed", "mqtt://127.0.0.1", "x");
        await Refused("scheme", "ws://host/path or wss://host/path", "verify-feed", "http://127.0.0.1");
        await Refused("time", "write 30s, 10m or 2h", "verify-feed", "mqtt://127.0.0.1", "--for", "soon");
        var state = Path.Combine(_folder.FullName, "state");
        await File.WriteAllTextAsync(state, "{}");
        await Refused("state", "remove this one to begin anew", "verify-feed", Feed("whole.ndjson"), "--state", state);
        Assert.Equal("{}", await File.ReadAllTextAsync(state));
    }

    [Fact]
    public async Task An_audit_goes_on_from_its_state_with_the_next_file()
    {
        var lines = await File.ReadAllLinesAsync(Feed("whole.ndjson"));
        var state = Path.Combine(_folder.FullName, "state.json");
        Assert.Equal(1, await FileAsync(lines[2..]));
        Assert.Equal(0, await FileAsync(lines[..2]));

        async Task<int> FileAsync(string[] part)
        {
            var file = Path.Combine(_folder.FullName, "part.ndjson");
            await File.WriteAllLinesAsync(file, part);
            return (await GatewayProcess.CommandAsync("verify-feed", file, "--state", state)).ExitCode;
        }
    }

    [Theory]
    [InlineData("5")]
    [InlineData("3.1.1")]
    public async Task At_a_broker_an_auditor_that_was_away_misses_nothing(string version)
    {
        using var broker = await Mosquitto.RunAsync();
        var messages = await MessagesAsync();
        var record = Path.Combine(_folder.FullName, "record.ndjson.gz");
        string[] arguments = ["verify-feed", broker.Uri.ToString(), "--mqtt", version, "--json", "--from", "first", "--state", Path.Combine(_folder.FullName, "state.json")];

        using (var listening = Listener.Start([.. arguments, "--record", record]))
        {
            await listening.SaysAsync("Listening to");
            await PublishAsync(broker, messages[..1]);
            await listening.SaysAsync("1 messages; so far 0 missing");
            using var verdict = await listening.InterruptAsync(0);
            Assert.Equal(3, verdict.RootElement.GetProperty("received").GetInt64());
        }

        await PublishAsync(broker, messages[1..2]);
        using (var again = Listener.Start(arguments))
        {
            await again.SaysAsync("Listening to");
            await PublishAsync(broker, messages[2..]);
            await again.SaysAsync("3 messages; so far 0 missing");
            using var verdict = await again.InterruptAsync(0);
            Assert.Equal(5, verdict.RootElement.GetProperty("received").GetInt64());
        }

        // What was recorded is read again, packed as it is.
        var (code, output, errors) = await GatewayProcess.CommandAsync("verify-feed", record, "--json");
        Assert.True(code == 0, output + errors);
        using var recorded = JsonDocument.Parse(output);
        Assert.Equal(3, recorded.RootElement.GetProperty("received").GetInt64());
    }

    [Fact]
    public async Task An_auditor_that_is_killed_has_lost_nothing_that_it_had_acknowledged()
    {
        using var broker = await Mosquitto.RunAsync();
        var messages = await MessagesAsync();
        string[] arguments = ["verify-feed", broker.Uri.ToString(), "--json", "--from", "first", "--state", Path.Combine(_folder.FullName, "state.json")];
        using (var listening = Listener.Start(arguments))
        {
            await listening.SaysAsync("Listening to");
            await PublishAsync(broker, messages[..1]);
            await listening.SaysAsync("1 messages; so far 0 missing");

            // Acknowledged behind the state that was just saved, and long before the next one.
            await PublishAsync(broker, messages[1..2]);
            await Until.HoldsAsync(() => Acknowledged() == 2, "both are acknowledged", () => broker.Log);
            listening.Kill();
        }

        using (var again = Listener.Start(arguments))
        {
            await again.SaysAsync("the broker kept the session");
            await PublishAsync(broker, messages[2..]);
            await again.SaysAsync($"{messages.Count} messages; so far 0 missing");
            again.Kill();
        }

        using var last = Listener.Start(arguments);
        await last.SaysAsync("Listening to");
        using var verdict = await last.InterruptAsync(0);
        Assert.Equal(5, verdict.RootElement.GetProperty("received").GetInt64());
        Assert.Equal(0, verdict.RootElement.GetProperty("streams")[0].GetProperty("redelivered").GetInt64());

        int Acknowledged() => broker.Log.Split("Received PUBACK from edgegateway-verify").Length - 1;
    }

    [Fact]
    public async Task An_auditor_listens_over_WebSocket_too()
    {
        using var broker = await Mosquitto.RunAsync(new() { WebSocket = true });
        using var listening = Listener.Start(["verify-feed", broker.WebSocket.ToString(), "--json", "--from", "first"]);
        await listening.SaysAsync("Listening to");
        await PublishAsync(broker, await MessagesAsync());
        await listening.SaysAsync("so far 0 missing");
        using var verdict = await listening.InterruptAsync(0);
        Assert.Equal(5, verdict.RootElement.GetProperty("received").GetInt64());
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_said_with_exit_code_2()
    {
        var (code, _, errors) = await GatewayProcess.CommandAsync("verify-feed", $"mqtt://127.0.0.1:{Mosquitto.FreePort()}", "--for", "1s");
        Assert.Equal(2, code);
        Assert.Contains("No subscription at 127.0.0.1:", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recording_that_was_cut_off_is_read_as_far_as_it_goes()
    {
        var path = Path.Combine(_folder.FullName, "cut.ndjson.gz");
        using (var packed = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            // Not to be packed well: a cut in the middle must leave lines before it.
            var random = new Random(4);
            for (var i = 0; i < 5_000; i++)
            {
                packed.Write(Encoding.UTF8.GetBytes($"topic {random.NextInt64():x16}{random.NextInt64():x16}\n"));
            }
        }

        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, whole[..(whole.Length / 2)]);
        var (lines, problems) = (new List<long>(), new List<string>());
        new FeedFile(path).Read((number, _) => lines.Add(number), problems.Add, CancellationToken.None);

        Assert.InRange(lines.Count, 1_000, 4_000);
        Assert.Equal(Enumerable.Range(1, lines.Count).Select(n => (long)n), lines);
    }

    private static async Task Refused(string what, string words, params string[] arguments)
    {
        var (code, output, errors) = await GatewayProcess.CommandAsync(arguments);
        Assert.True(code == 2, $"{what}: {code}\n{output}{errors}");
        Assert.True(errors.Contains(words, StringComparison.Ordinal), $"{what}: {errors}");
    }

    private static async Task<List<FeedLine>> MessagesAsync() =>
        [.. (await File.ReadAllLinesAsync(Feed("whole.ndjson"))).Select(line => FeedLine.Read(Encoding.UTF8.GetBytes(line), out _)!.Value)];

    private static async Task PublishAsync(Mosquitto broker, IEnumerable<FeedLine> messages)
    {
        await using var gateway = new MqttClient(new MqttClientOptions { Servers = [broker.Uri], ClientId = "gateway", CleanStart = true }, TimeProvider.System);
        _ = gateway.RunAsync(CancellationToken.None);
        foreach (var message in messages)
        {
            var outcome = await gateway.PublishAsync("edgegateway/v1/mine-7/gw-2/sample", message.Payload).AsTask().WaitAsync(Until.Limit);
            Assert.Equal(PublishStatus.Delivered, outcome.Status);
        }
    }

    private static string Feed(string name, [CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "feeds", name);

    private static List<string> Streams(JsonDocument verdict) =>
    [
        .. verdict.RootElement.GetProperty("streams").EnumerateArray().Select(s =>
            $"{s.GetProperty("site")} {s.GetProperty("gateway")} {s.GetProperty("stream")} {s.GetProperty("epoch")}: "
            + string.Join(", ", Agreed.Select(field => $"{field} {s.GetProperty(field)}"))
            + $" [{string.Join(", ", s.GetProperty("missingRanges").EnumerateArray().Select(r => $"{r[0]}-{r[1]}"))}]").Order(StringComparer.Ordinal),
    ];

    private static async Task<(int Code, string Output)> ExampleAsync(string file)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-B", RepositoryFiles.At("docs/feed/examples/verify_feed.py"), file])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = python.StandardOutput.ReadToEndAsync();
        var errors = python.StandardError.ReadToEndAsync();
        await python.WaitForExitAsync().WaitAsync(Until.Limit);
        Assert.True(python.ExitCode is 0 or 1 && (await output).Length > 0, await errors);
        return (python.ExitCode, await output);
    }

    /// <summary>The command as it listens; ended by its own process id.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly Process _process;
        private readonly StringBuilder _errors = new();
        private readonly Task<string> _output;

        private Listener(Process process)
        {
            _process = process;
            process.ErrorDataReceived += (_, line) =>
            {
                lock (_errors)
                {
                    _errors.AppendLine(line.Data);
                }
            };
            process.BeginErrorReadLine();
            _output = process.StandardOutput.ReadToEndAsync();
        }

        private string Errors { get { lock (_errors) { return _errors.ToString(); } } }

        public static Listener Start(string[] arguments) => new(Process.Start(
            new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "edgegateway.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!);

        public Task SaysAsync(string words) => Until.HoldsAsync(
            () =>
            {
                Assert.False(_process.HasExited, Errors);
                return Errors.Contains(words, StringComparison.Ordinal);
            },
            $"it says '{words}'",
            () => Errors);

        public void Kill()
        {
            _process.Kill();
            _process.WaitForExit();
        }

        public async Task<JsonDocument> InterruptAsync(int code)
        {
            using var kill = Process.Start("/bin/kill", ["-INT", $"{_process.Id}"]);
            await kill.WaitForExitAsync();
            await _process.WaitForExitAsync().WaitAsync(Until.Limit);
            var output = await _output;
            Assert.True(_process.ExitCode == code, output + Errors);
            return JsonDocument.Parse(output);
        }

        public void Dispose()
        {
            if (!_process.HasExited)
            {
                _process.Kill();
                _process.WaitForExit();
            }

            _process.Dispose();
        }
    }
}
