using EdgeGateway.Box;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Telemetry;

/// <summary>What the computer shows of itself at one moment; what it does not show is not there.</summary>
/// <param name="values">By subject and field of <see cref="BoxInput"/>.</param>
internal sealed class BoxValues(IReadOnlyDictionary<(BoxSubject Subject, string Field), double> values)
{
    /// <summary>A value in the unit of its field; NaN when the computer does not show it.</summary>
    public double this[BoxSubject subject, string field] => values.TryGetValue((subject, field), out var value) ? value : double.NaN;
}

/// <summary>Asks the computer for metrics, whether the site has a device for its health or not. Nothing is opened before the first question.</summary>
/// <param name="site">Whose box bus says where to look, when there is one.</param>
/// <param name="time">Clock.</param>
internal sealed class BoxGauges(SiteModel site, TimeProvider time) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private BoxHealth? _box;

    /// <summary>The values of this moment; from any thread.</summary>
    public BoxValues Read()
    {
        var registers = new ushort[BoxBus.Everything.Count * LocalInput.BlockLength];
        lock (_gate)
        {
            _box ??= new BoxHealth(Model(), time, NullLogger.Instance);

            // Reads files of the kernel, and has ended when it returns. That nothing is shown at all leaves the values out.
            _ = _box.ReadAsync(BoxBus.OnlyUnit, new ReadRequest(RegisterTable.InputRegister, 0, (ushort)registers.Length), registers, TimeSpan.Zero, CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        Dictionary<(BoxSubject, string), double> values = [];
        foreach (var input in BoxBus.Everything.Cast<BoxInput>())
        {
            foreach (var field in input.Layout.Fields)
            {
                var words = registers.AsSpan(input.Address + field.Offset, field.Encoding.Length);
                if (RegisterCodec.Decode(field.Encoding, words, out var value, out var raw) == DecodeStatus.Ok && raw != field.Absent)
                {
                    values[(input.Subject, field.Name)] = value;
                }
            }
        }

        return new(values);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _box?.DisposeAsync() ?? ValueTask.CompletedTask;

    private BoxBus Model()
    {
        var declared = site.Buses.OfType<BoxBus>().FirstOrDefault();
        return new()
        {
            Id = "metrics",
            Timeout = TimeSpan.Zero,
            Inputs = BoxBus.Everything,
            Root = declared?.Root ?? "/",
            Disk = declared?.Disk ?? site.Storage.Directory,
            TemperatureSensor = declared?.TemperatureSensor,
        };
    }
}
