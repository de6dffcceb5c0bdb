using System.Globalization;
using System.Text.Json;
using EdgeGateway.Core.Feed;
using EdgeGateway.Simulator;

namespace EdgeGateway.Integration.Gateway;

/// <summary>The replies of load devices, put together again from the samples that were delivered.</summary>
internal static class Replies
{
    /// <summary>Checks that every delivered value belongs to the <c>seq</c> of the same reply, and returns these in the order of the records' numbers.</summary>
    public static IReadOnlyList<long> Of(FeedReceiver receiver, string device)
    {
        List<long> sequences = [];
        foreach (var reply in receiver.InOrder(FeedStream.Sample).Where(r => r.GetProperty("device").GetString() == device).GroupBy(r => r.GetProperty("time").GetString()))
        {
            var values = new Dictionary<string, double>();
            foreach (var record in reply.Where(r => r.GetProperty("value").ValueKind == JsonValueKind.Number))
            {
                values[record.GetProperty("point").GetString()!] = record.GetProperty("value").GetDouble();
            }

            if (!values.TryGetValue("seq", out var sequence))
            {
                // A device that was away is asked for one point alone; its value cannot be checked against the others.
                Assert.InRange(values.Count, 0, 1);
                continue;
            }

            sequences.Add((long)sequence);
            foreach (var (point, value) in values.Where(v => v.Key[0] == 'v'))
            {
                Assert.Equal(LoadDevice.Wave((long)sequence, int.Parse(point.AsSpan(1), CultureInfo.InvariantCulture)), value);
            }
        }

        return sequences;
    }
}
