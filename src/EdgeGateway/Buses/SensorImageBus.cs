using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Sensors;
using Microsoft.Extensions.Logging;

namespace EdgeGateway.Buses;

/// <summary>
/// Sensors of the kernel as a bus. A reading cannot be broken off and may take its time (750 ms for a 1-Wire thermometer), so each sensor has a thread of its own that does nothing else:
/// the bus's owner waits for all of them at once, and none holds up another.
/// </summary>
internal sealed class SensorImageBus : ImageBus
{
    private readonly Dictionary<LocalInput, SensorLane.Channel> _channels = [];
    private readonly List<SensorLane> _lanes = [];

    /// <summary>Makes the bus; nothing is opened before the first reading.</summary>
    /// <param name="model">The bus.</param>
    /// <param name="log">Told when an input has no value any more, and when it is back.</param>
    /// <param name="time">The clock of time limits.</param>
    /// <param name="open">Reads a channel, given its input; what it gives is disposed of with the bus.</param>
    public SensorImageBus(SensorsBus model, ILogger log, TimeProvider time, Func<SensorInput, ISensor> open)
        : base(model, log)
    {
        foreach (var sensor in model.Inputs.OfType<SensorInput>().GroupBy(input => input.Device))
        {
            var lane = new SensorLane(sensor.Key, time);
            _lanes.Add(lane);
            foreach (var input in sensor)
            {
                _channels[input] = lane.Add(open(input));
            }
        }
    }

    /// <summary>As many as there are sensors, and one that finds all of them busy.</summary>
    public override int MaxInFlight => _lanes.Count + 1;

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _lanes.ForEach(lane => lane.Dispose());
        return ValueTask.CompletedTask;
    }

    /// <summary>What is shown of a reading.</summary>
    /// <param name="input">The input.</param>
    /// <param name="quantity">What the channel measures.</param>
    /// <param name="reading">Its reading.</param>
    /// <returns>The value in the unit of the input, and how the reading ended. Beside it what is wrong beyond the reading, in words; null when nothing is.</returns>
    internal static (SensorReading Reading, string? Problem) Judge(SensorInput input, SensorQuantity quantity, SensorReading reading)
    {
        var expected = input.ShuntOhms is null ? QuantityOf(input.Measure) : SensorQuantity.Voltage;
        if (reading.HasValue && quantity != expected)
        {
            return (SensorReading.Missing(SensorStatus.NotFound), Mismatch(input, quantity));
        }

        return (input.ShuntOhms is { } ohms ? reading with { Value = reading.Value * 1000 / ohms } : reading, null);
    }

    /// <summary>What to say of a channel that measures something else than its input shows.</summary>
    internal static string Mismatch(SensorInput input, SensorQuantity quantity) =>
        quantity == SensorQuantity.None
            ? $"{input.Title} has no unit: its driver tells no scale, or it measures what is not in the list of docs/sensors.md"
            : input.ShuntOhms is not null
                ? $"{input.Title} measures {Word(quantity)} and not a voltage: remove 'shunt'{(quantity == SensorQuantity.Current ? "" : $" and write 'measures: {Word(quantity)}'")}"
                : $"{input.Title} measures {Word(quantity)} and not {input.Measure.Word}: write 'measures: {Word(quantity)}'{(quantity == SensorQuantity.Voltage && input.Measure.Word == "current" ? ", or the ohms of the resistor as 'shunt'" : "")}";

    /// <summary>The word of <c>measures</c> for a quantity.</summary>
    internal static string Word(SensorQuantity quantity) => quantity.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    protected override void Begin(LocalInput input) => _channels[input].Begin();

    /// <inheritdoc/>
    protected override async ValueTask<(BusReply Reply, string? Problem)> RefreshAsync(LocalInput input, Memory<ushort> block, TimeSpan timeout, CancellationToken cancel)
    {
        var channel = _channels[input];
        var raw = await channel.EndAsync(timeout, cancel).ConfigureAwait(false);
        var (reading, mismatch) = Judge((SensorInput)input, channel.Quantity, raw);
        var problem = mismatch ?? (raw.Status == SensorStatus.Late
            ? $"its reading takes longer than {timeout.TotalMilliseconds:0} ms: a bus that hangs, or a slow sensor whose device needs a longer 'timeout'"
            : channel.Problem);
        var reply = reading.Status switch
        {
            SensorStatus.NoAnswer or SensorStatus.Late => new BusReply(QualityReason.Timeout),
            SensorStatus.Gone or SensorStatus.NotFound or SensorStatus.NotAllowed or SensorStatus.Busy => new BusReply(QualityReason.NotConnected),
            _ => BusReply.Good,
        };
        input.Layout.Put(block.Span, SensorMeasure.Value, reading.HasValue ? reading.Value : double.NaN);
        input.Layout.Put(block.Span, SensorMeasure.Status, reading.Status == SensorStatus.Good ? 0 : 1L << ((int)reading.Status - 1));
        return (reply, string.IsNullOrEmpty(problem) ? null : problem);
    }

    private static SensorQuantity QuantityOf(SensorMeasure measure) => Enum.Parse<SensorQuantity>(measure.Word, ignoreCase: true);
}
