using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using EdgeGateway.Core.Feed;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Uplinks;

/// <summary>
/// The published schemas against real messages, judged by python3-jsonschema. The messages are the golden ones, which another test
/// holds to be the encoder's output byte for byte.
/// </summary>
public partial class FeedSchemaTests
{
    private static string Root { get; } = Path.GetFullPath(Path.Combine(Here(), "../../.."));

    private static string Schemas { get; } = Path.Combine(Root, "docs/feed/schemas");

    [Fact]
    public async Task Every_kind_of_message_satisfies_the_published_schema()
    {
        var names = Golden().Select(Path.GetFileName).ToList();
        var verdicts = await ValidateAsync(Golden().Select(File.ReadAllText));

        Assert.NotEmpty(names);
        Assert.Equal(names.Select(name => $"{name}: ok"), names.Zip(verdicts, (name, verdict) => $"{name}: {verdict}"));
    }

    [Fact]
    public async Task Schemas_refuse_a_message_that_lacks_any_field_they_require()
    {
        var damaged = new List<(string What, string Message)>();
        foreach (var path in Golden())
        {
            var message = Parse(path);
            foreach (var field in Required("envelope"))
            {
                damaged.Add(($"{Path.GetFileName(path)} without {field}", Without(message, m => m.Remove(field))));
            }

            foreach (var field in Required((string)message["stream"]!))
            {
                damaged.Add(($"{Path.GetFileName(path)} record without {field}",
                    Without(message, m => ((JsonObject)m["records"]![0]!).Remove(field))));
            }
        }

        var verdicts = await ValidateAsync(damaged.Select(d => d.Message));

        Assert.True(damaged.Count > 200);
        Assert.DoesNotContain(damaged.Zip(verdicts, (d, v) => $"{d.What}: {v}"), v => v.EndsWith(": ok", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sample", "\"quality\":\"good\"", "\"quality\":\"superb\"")]
    [InlineData("sample", "\"value\":1250.5", "\"value\":null")]
    [InlineData("sample", "\"value\":null", "\"value\":0")]
    [InlineData("sample", "12:00:00.000Z", "12:00:00+08:00")]
    [InlineData("summary-empty", ",\"reason\":\"no-samples\"", "")]
    [InlineData("summary-gauge", "\"coverage\":0.9833333333333333", "\"coverage\":1.5")]
    [InlineData("summary-gauge", "\"integral\":23902260.6875,", "")]
    [InlineData("emission-device", "\"milligramsCO2e\":57742875", "\"milligramsCO2e\":57742875.5")]
    [InlineData("emission-device", "0x75bccd5", "123")]
    [InlineData("emission-substituted-factor", "\"factorNote\":\"CN", "\"factorNote\":7,\"x\":\"CN")]
    [InlineData("range-evicted", "\"evicted\"", "\"lost\"")]
    [InlineData("anomaly-raised", "\"lane\":\"live\"", "\"lane\":\"fast\"")]
    [InlineData("health-clock-step", "\"seq\":1", "\"seq\":0")]
    public async Task Schemas_refuse_a_wrong_value(string name, string right, string wrong)
    {
        var text = File.ReadAllText(Golden().Single(path => Path.GetFileNameWithoutExtension(path) == name));
        Assert.Contains(right, text, StringComparison.Ordinal);

        Assert.NotEqual("ok", Assert.Single(await ValidateAsync([text.Replace(right, wrong, StringComparison.Ordinal)])));
    }

    [Fact]
    public async Task Values_that_are_not_stored_satisfy_their_schema_and_it_refuses_numbers_of_records()
    {
        var message = System.Text.Encoding.UTF8.GetString(
            new VolatileEncoder(ExampleFeed.Site).Write([ExampleFeed.GoodSample, ExampleFeed.MissingSample], ExampleFeed.Noon)[0].Span);
        var verdicts = await ValidateAsync([
            message,
            message.Replace("\"since\"", "\"seq\":1,\"since\"", StringComparison.Ordinal),
            message.Replace("\"lane\":\"volatile\"", "\"lane\":\"live\"", StringComparison.Ordinal),
            message.Replace("\"since\"", "\"before\"", StringComparison.Ordinal)]);

        Assert.Equal("ok", verdicts[0]);
        Assert.DoesNotContain("ok", verdicts[1..]);
    }

    [Fact]
    public void The_AsyncAPI_file_names_every_stream_and_only_schemas_that_exist()
    {
        var text = File.ReadAllText(Path.Combine(Root, "docs/feed/asyncapi.yaml"));
        var files = SchemaReference().Matches(text).Select(m => m.Groups[1].Value).ToHashSet();

        Assert.All(files, file => Assert.True(File.Exists(Path.Combine(Root, "docs/feed", file)), file));
        Assert.All(FeedHeads.Streams, stream =>
        {
            Assert.Contains($"schemas/{stream.Word()}.schema.json", files);
            Assert.Contains($"{{gateway}}/{stream.Word()}", text, StringComparison.Ordinal);
        });
    }

    private static List<string> Golden() =>
        [.. Directory.GetFiles(Path.Combine(Root, "tests/EdgeGateway.Tests/Feed/golden"), "*.json").Order(StringComparer.Ordinal)];

    private static JsonObject Parse(string path) => JsonNode.Parse(File.ReadAllText(path))!.AsObject();

    private static List<string> Required(string schema) =>
        [.. Parse(Path.Combine(Schemas, $"{schema}.schema.json"))["required"]!.AsArray().Select(n => (string)n!)];

    private static string Without(JsonObject message, Action<JsonObject> damage)
    {
        var copy = message.DeepClone().AsObject();
        damage(copy);
        return copy.ToJsonString();
    }

    private static async Task<List<string>> ValidateAsync(IEnumerable<string> messages)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", [Path.Combine(Here(), "validate_feed.py"), Schemas])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = python.StandardOutput.ReadToEndAsync();
        var errors = python.StandardError.ReadToEndAsync();
        foreach (var message in messages)
        {
            await python.StandardInput.WriteLineAsync(message.TrimEnd());
        }

        python.StandardInput.Close();
        await python.WaitForExitAsync();
        Assert.True(python.ExitCode == 0, $"python3-jsonschema is needed (apt-get install python3-jsonschema): {await errors}");
        return [.. (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static string Here([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;

    [GeneratedRegex(@"\./(schemas/[a-z]+\.schema\.json)")]
    private static partial Regex SchemaReference();
}
