using System.Buffers;
using System.Text;
using System.Text.Json;
using EdgeGateway.Control;

namespace EdgeGateway.Hosting;

/// <summary>
/// The line <c>STATUS {"depth":…,"dropped":…,"degraded":…,"delivered":…}</c> on standard output, for test rigs that watch a gateway
/// without asking it (requirement 9.3). Off unless the site asks for it: a healthy gateway is quiet.
/// </summary>
internal static class StatusLine
{
    /// <summary>Prints a line at once and then in every period, until cancelled; completes normally then.</summary>
    public static async Task PrintAsync(GatewayRuntime gateway, TimeSpan every, TextWriter output, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(every, gateway.Time);
        try
        {
            do
            {
                await output.WriteLineAsync(Of(gateway.Status())).ConfigureAwait(false);
                await output.FlushAsync(stop).ConfigureAwait(false);
            }
            while (await timer.WaitForNextTickAsync(stop).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The stop that was asked for.
        }
    }

    /// <summary>The line of a status; members have the names and meanings of <see cref="StatusDocument"/>.</summary>
    public static string Of(StatusDocument status)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("depth", status.Depth);
            json.WriteNumber("dropped", status.Dropped);
            json.WriteBoolean("degraded", status.Degraded);
            json.WriteNumber("delivered", status.Delivered);
            json.WriteNumber("samples", status.Samples);
            json.WriteNumber("uptimeSeconds", Math.Round(status.UptimeSeconds, 3));
            json.WriteString("state", status.State);
            json.WriteEndObject();
        }

        return $"STATUS {Encoding.UTF8.GetString(buffer.WrittenSpan)}";
    }
}
