namespace EdgeGateway.Protocols.Sensors;

/// <summary>
/// One channel of a sensor, found by a name that stays. Its files are kept open, and a reading allocates nothing; one that was removed is looked for again at the next reading.
/// </summary>
/// <remarks>
/// A reading waits for the hardware: some microseconds for most, 750 ms for a 1-Wire thermometer, seconds on a bus that hangs. It cannot be broken off. For one caller at a time.
/// </remarks>
/// <param name="device">Label, address, node or chip: see <see cref="SensorDevice.IsCalled"/>.</param>
/// <param name="channel">The kernel's name of the channel, or its label.</param>
/// <param name="root">The folder in which <c>sys</c> is.</param>
public sealed class Sensor(string device, string channel, string root = "/") : ISensor
{
    private Source? _source;
    private int _error;
    private string? _notFound;

    /// <summary>The channel as people name it.</summary>
    public string Title { get; private set; } = $"\"{channel}\" of \"{device}\"";

    /// <inheritdoc/>
    public SensorQuantity Quantity { get; private set; }

    /// <summary>The last reading.</summary>
    public SensorReading Last { get; private set; } = SensorReading.Missing(SensorStatus.NotFound);

    /// <inheritdoc/>
    public string Problem => _notFound ?? SensorErrors.Describe(Title, Last.Status, _error);

    /// <inheritdoc/>
    public SensorReading Read()
    {
        (_error, _notFound) = (0, null);
        Last = Find() is { } source ? source.Read(out _error) : Last;
        if (Last.Status == SensorStatus.Gone)
        {
            Close();
        }

        return Last;
    }

    public void Dispose() => Close();

    private Source? Find()
    {
        if (_source is not null)
        {
            return _source;
        }

        try
        {
            var place = SensorInventory.Read(root).Find(device, channel);
            Title = $"{place.Channel.Id} of {place.Device.Title}";
            Quantity = place.Channel.Quantity;
            _source = Source.Open(place, out _error);
            Last = SensorReading.Missing(SensorErrors.StatusOf(_error));
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            _notFound = missing.Message;
            Last = SensorReading.Missing(missing is UnauthorizedAccessException ? SensorStatus.NotAllowed : SensorStatus.NotFound);
        }

        return _source;
    }

    private void Close()
    {
        _source?.Dispose();
        _source = null;
    }

    /// <summary>The open files of a channel.</summary>
    private sealed class Source : IDisposable
    {
        private readonly List<SysfsFile> _kept = [];
        private readonly List<SysfsFile> _alarms = [];
        private SysfsFile? _value;
        private SysfsFile? _offset;
        private SysfsFile? _scale;
        private SysfsFile? _fault;
        private SensorQuantities.KernelUnit _unit = new(1);
        private bool _isScratchPad;
        private bool _isOneWire;
        private int _error;

        /// <summary>Opens the files of a channel.</summary>
        /// <returns>The channel; null with the kernel's number of the error.</returns>
        public static Source? Open(SensorPlace place, out int error)
        {
            var source = new Source();
            switch (place.Device.Interface)
            {
                case SensorInterface.Iio:
                    source.OpenIio(place.Device.Folder, place.Channel);
                    break;
                case SensorInterface.Hwmon:
                    source.OpenHwmon(HwmonTree.ValueFolder(place.Device.Folder), place.Channel);
                    break;
                default:
                    source.OpenOneWire(place.Device.Folder);
                    break;
            }

            error = source._error;
            if (error == 0)
            {
                return source;
            }

            source.Dispose();
            return null;
        }

        public SensorReading Read(out int error)
        {
            error = 0;
            if (_fault is not null && (!_fault.TryRead(out var fault, out error) || fault != 0))
            {
                return SensorReading.Missing(error != 0 ? SensorErrors.StatusOf(error) : SensorStatus.Fault);
            }

            var text = _value!.Read(out error);
            if (error != 0)
            {
                return SensorReading.Missing(SensorErrors.StatusOf(error));
            }

            if (_isScratchPad)
            {
                return ScratchPad.Parse(text);
            }

            double offset = 0, scale = 1;
            var isEmpty = text.IsEmpty;
            if (!SysfsFile.TryParse(text, out var value)
                || (_offset is not null && !_offset.TryRead(out offset, out error))
                || (_scale is not null && !_scale.TryRead(out scale, out error)))
            {
                return SensorReading.Missing(error != 0 ? SensorErrors.StatusOf(error) : isEmpty ? SensorStatus.NoAnswer : SensorStatus.Unreadable);
            }

            if (_isOneWire && value == ScratchPad.PowerOnThousandths)
            {
                return SensorReading.Missing(SensorStatus.PowerOn);
            }

            var isAlarm = false;
            foreach (var alarm in _alarms)
            {
                // The value is there: an alarm that cannot be read takes nothing from it.
                isAlarm |= alarm.TryRead(out var state, out _) && state != 0;
            }

            return new(_unit.Convert((value + offset) * scale), isAlarm ? SensorStatus.Alarm : SensorStatus.Good);
        }

        public void Dispose() => _kept.ForEach(file => file.Dispose());

        private void OpenIio(string folder, SensorChannel channel)
        {
            var files = SensorTree.Files(folder).ToHashSet();
            if (channel.Quantity != SensorQuantity.None)
            {
                _unit = SensorQuantities.Iio(channel.Id).Unit;
            }

            if (files.Contains($"{channel.Id}_input"))
            {
                _value = Keep(folder, $"{channel.Id}_input");
                return;
            }

            _value = Keep(folder, $"{channel.Id}_raw");
            _offset = IioTree.Shared(files, channel.Id, "offset") is { } offset ? Keep(folder, offset) : null;
            _scale = IioTree.Shared(files, channel.Id, "scale") is { } scale ? Keep(folder, scale) : null;
        }

        private void OpenHwmon(string folder, SensorChannel channel)
        {
            var files = SensorTree.Files(folder);
            _unit = SensorQuantities.Hwmon(channel.Id).Unit;
            _value = Keep(folder, files.Contains($"{channel.Id}_input") ? $"{channel.Id}_input" : $"{channel.Id}_average");
            _fault = files.Contains($"{channel.Id}_fault") ? Keep(folder, $"{channel.Id}_fault") : null;
            foreach (var alarm in files.Where(file => HwmonTree.IsAlarm(file, channel.Id)))
            {
                if (Keep(folder, alarm) is { } file)
                {
                    _alarms.Add(file);
                }
            }
        }

        private void OpenOneWire(string folder)
        {
            (_isOneWire, _unit) = (true, new(1000));
            _isScratchPad = File.Exists(Path.Combine(folder, OneWireTree.Answer));
            _value = Keep(folder, _isScratchPad ? OneWireTree.Answer : OneWireTree.Number);
        }

        private SysfsFile? Keep(string folder, string name)
        {
            var file = _error == 0 ? SysfsFile.Open(Path.Combine(folder, name), out _error) : null;
            if (file is not null)
            {
                _kept.Add(file);
            }

            return file;
        }
    }
}
