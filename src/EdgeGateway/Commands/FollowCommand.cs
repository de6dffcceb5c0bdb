using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using EdgeGateway.Control;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Following;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway follow DEVICE POINT</c>: one sample from its register to the broker.</summary>
internal static class FollowCommand
{
    public static Command Create()
    {
        var device = new Argument<string>("device") { Description = "Id of the device in gateway.yaml." };
        var point = new Argument<string>("point") { Description = "Id of the point in its profile." };
        var length = new Option<string?>("--for") { Description = "Give up after this time, such as 5m.", HelpName = "TIME" };
        var configuration = CommonOptions.Configuration();
        var profiles = CommonOptions.Profiles();
        var json = new Option<bool>("--json") { Description = "Print one JSON document a line, for programs." };
        var command = new Command(
            "follow",
            """
            Follow the next sample of a point through the running gateway: read, decoded, validated, seen by the detectors,
            stored, put into a record and a row of the outbox, committed, published, acknowledged by each uplink; with
            times and values. A point whose samples are not published is followed into the summary of its first window.
            Exit code 0 when every uplink that carries the record is done with it, 1 when not.
            """) { device, point, length, configuration, profiles, json };
        command.SetAction(async (result, cancel) =>
        {
            using var interrupted = new CancellationTokenSource();
            using var interrupt = Terminal.OnInterrupt(interrupted);
            var site = CommonOptions.Load(result.GetValue(configuration)!, result.GetValue(profiles));
            if (site is null)
            {
                return Terminal.BadInput;
            }

            var (ofDevice, ofPoint) = (result.GetValue(device)!, result.GetValue(point)!);
            if (FollowEndpoint.Find(site.Model, ofDevice, ofPoint).Refusal is { } refusal)
            {
                return Terminal.Fail(refusal, Terminal.BadInput);
            }

            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel, interrupted.Token);
            if (result.GetValue(length) is { } text)
            {
                if (!Quantities.TryDuration(text, out var span) || span <= TimeSpan.Zero)
                {
                    return Terminal.Fail($"'{text}' is no time: write it as 30s or 5m.", Terminal.BadInput);
                }

                end.CancelAfter(span);
            }

            try
            {
                return await RunAsync(site.Model.Storage.Directory, $"follow/{Uri.EscapeDataString(ofDevice)}/{Uri.EscapeDataString(ofPoint)}", result.GetValue(configuration)!, result.GetValue(json), end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return Terminal.Fail("The sample was not followed to its end. What is missing is the step after the last one above; 'edgegateway status' shows what waits.");
            }
            catch (Exception e) when (e is UnauthorizedAccessException or HttpRequestException or IOException)
            {
                return Terminal.Fail(e.Message);
            }
        });
        return command;
    }

    private static async Task<int> RunAsync(string directory, string path, string configuration, bool json, CancellationToken cancel)
    {
        using var client = ControlClient.TryConnect(directory);
        if (client is null)
        {
            return Terminal.Fail($"No gateway is running with its store in {directory}: there is no sample to follow. Start one with: edgegateway run --config {configuration}");
        }

        var stream = await client.StreamAsync(path, cancel).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            using var lines = new StreamReader(stream);
            while (await lines.ReadLineAsync(cancel).ConfigureAwait(false) is { } line)
            {
                if (JsonSerializer.Deserialize(line, FollowJson.Default.FollowDocument) is not { } step)
                {
                    continue;
                }

                Console.WriteLine(json ? line : Text(step));
                if (step.Complete is { } isComplete)
                {
                    return isComplete ? Terminal.Success : Terminal.Fail($"Not followed to the end: {step.Text}.");
                }
            }
        }

        return Terminal.Fail("The gateway has stopped.");
    }

    private static string Text(FollowDocument step)
    {
        var time = step.Time.ToLocalTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);
        var after = step.AfterMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);
        var took = step.TookMilliseconds is { } ms ? $", took {ms.ToString("0.0", CultureInfo.InvariantCulture)} ms" : "";
        var trace = step.TraceId is { } id ? $"; trace {id}" : "";
        return $"{time} {after,9} ms  {step.Step,-11} {step.Text}{took}{trace}";
    }
}
