using System.Globalization;
using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>
/// Samples that the kernel takes by itself, each time a trigger fires, and keeps with their time stamps until they are read: faster and evener than single readings. It needs a driver with a buffer, a
/// trigger, and the right to set it up (root). While it runs, the kernel refuses single readings of the sensor (EBUSY).
/// </summary>
/// <remarks>For one thread, which has nothing else to do. Reading allocates nothing.</remarks>
public sealed class IioCapture : IDisposable
{
    private const int MostScansAtOnce = 64;
    private const string Timestamp = "in_timestamp";

    private readonly string _folder;
    private readonly string _title;
    private readonly IioScanLayout _layout;
    private readonly (double Offset, double Scale, SensorQuantities.KernelUnit Unit)[] _channels;
    private readonly SafeFileHandle _file;
    private readonly byte[] _bytes;

    private IioCapture(SensorDevice device, IioScanLayout layout, (double, double, SensorQuantities.KernelUnit)[] channels, SafeFileHandle file)
    {
        (_folder, _title, _layout, _channels, _file) = (device.Folder, device.Title, layout, channels, file);
        _bytes = new byte[MostScansAtOnce * layout.Bytes];
    }

    /// <summary>How many channels each scan has.</summary>
    public int Channels => _channels.Length;

    /// <summary>Starts to capture.</summary>
    /// <param name="device">A sensor of Industrial I/O.</param>
    /// <param name="channels">Its channels, in the order in which their values are wanted.</param>
    /// <param name="trigger">Name of the trigger, as its file <c>name</c> says; null keeps the one that is set, or does without.</param>
    /// <param name="scans">How many scans the kernel keeps; later ones push none out, they are not taken.</param>
    /// <param name="root">The folder in which <c>sys</c> and <c>dev</c> are.</param>
    /// <exception cref="SensorException">The driver has no buffer for a channel, the trigger is not there, or it may not be set up; the message says which.</exception>
    public static IioCapture Start(SensorDevice device, IReadOnlyList<string> channels, string? trigger, int scans, string root = "/")
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(channels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scans);
        var elements = Path.Combine(device.Folder, "scan_elements");
        if (device.Interface != SensorInterface.Iio || !Directory.Exists(elements))
        {
            throw new SensorException(SensorFault.Unsupported, $"{device.Title} has no buffer: its driver only gives single readings");
        }

        // Only one can have it open: whoever captures already is not disturbed by what follows.
        var number = Libc.Open(Path.Combine(root, "dev", device.Number), Libc.CloseOnExec | Libc.NonBlocking);
        if (number < 0)
        {
            throw SensorErrors.Failed($"/dev/{device.Number} of {device.Title} cannot be opened", Marshal.GetLastPInvokeError());
        }

        var file = new SafeFileHandle(number, ownsHandle: true);
        try
        {
            return SetUp(device, channels, trigger, scans, elements, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static IioCapture SetUp(SensorDevice device, IReadOnlyList<string> channels, string? trigger, int scans, string elements, SafeFileHandle opened)
    {
        // A process that was killed leaves it on.
        Write(device, "buffer/enable", "0");
        foreach (var file in SensorTree.Files(elements).Where(file => file.EndsWith("_en", StringComparison.Ordinal)))
        {
            Write(device, $"scan_elements/{file}", channels.Contains(file[..^3]) || file == $"{Timestamp}_en" ? "1" : "0");
        }

        var layout = new IioScanLayout([.. channels.Append(Timestamp).Select(channel => Element(device, channel))]);
        if (trigger is not null)
        {
            Write(device, "trigger/current_trigger", trigger);
            if (SensorTree.Text(device.Folder, "trigger/current_trigger") != trigger)
            {
                throw new SensorException(SensorFault.Unsupported, $"no trigger is called \"{trigger}\" for {device.Title}: `cat /sys/bus/iio/devices/trigger*/name` lists those that are there");
            }
        }

        Write(device, "buffer/length", scans.ToString(CultureInfo.InvariantCulture));
        var capture = new IioCapture(device, layout, [.. channels.Select(channel => Conversion(device, channel))], opened);
        Write(device, "buffer/enable", "1");
        return capture;
    }

    /// <summary>Waits until there are samples.</summary>
    /// <param name="limit">How long at most.</param>
    /// <returns>Whether there are; a sensor that is gone has some, whose reading says so.</returns>
    public unsafe bool Wait(TimeSpan limit)
    {
        Libc.PollEntry entry = new() { File = (int)_file.DangerousGetHandle(), Events = Libc.PollIn };
        return Libc.PrecisePoll(&entry, 1, limit) > 0;
    }

    /// <summary>Takes samples out of the kernel's buffer.</summary>
    /// <param name="values">Receives the values in the unit of their quantity, scan after scan, of each all channels.</param>
    /// <param name="nanoseconds">Receives when each scan was taken, by the clock in <c>current_timestamp_clock</c>.</param>
    /// <returns>How many scans; 0 when there are none now.</returns>
    /// <exception cref="SensorException">The sensor is gone.</exception>
    public unsafe int Read(Span<double> values, Span<long> nanoseconds)
    {
        var room = Math.Min(Math.Min(values.Length / _channels.Length, nanoseconds.Length), MostScansAtOnce);
        nint count;
        fixed (byte* start = _bytes)
        {
            count = Libc.Read(_file, start, (nuint)(room * _layout.Bytes));
        }

        if (count < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error is Libc.TryAgain or Libc.Interrupted ? 0 : throw SensorErrors.Failed($"samples of {_title} cannot be read", error);
        }

        var scans = (int)count / _layout.Bytes;
        for (var scan = 0; scan < scans; scan++)
        {
            var bytes = _bytes.AsSpan(scan * _layout.Bytes, _layout.Bytes);
            for (var i = 0; i < _channels.Length; i++)
            {
                var (offset, scale, unit) = _channels[i];
                values[(scan * _channels.Length) + i] = unit.Convert((_layout.Read(bytes, i) + offset) * scale);
            }

            nanoseconds[scan] = _layout.Read(bytes, _channels.Length);
        }

        return scans;
    }

    /// <summary>Ends the capture; single readings work again.</summary>
    public void Dispose()
    {
        _file.Dispose();
        try
        {
            File.WriteAllText(Path.Combine(_folder, "buffer/enable"), "0");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // With the sensor its capture has gone as well.
        }
    }

    private static (int Index, IioSampleFormat Format) Element(SensorDevice device, string channel)
    {
        var elements = Path.Combine(device.Folder, "scan_elements");
        return int.TryParse(SensorTree.Text(elements, $"{channel}_index"), NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            && SensorTree.Text(elements, $"{channel}_type") is { } type
            ? (index, IioSampleFormat.Parse(type))
            : throw new SensorException(SensorFault.NoChannel, $"{device.Title} cannot capture {channel}: its buffer has {string.Join(", ", SensorTree.Files(elements).Where(f => f.EndsWith("_en", StringComparison.Ordinal)).Select(f => f[..^3]))}");
    }

    private static (double Offset, double Scale, SensorQuantities.KernelUnit Unit) Conversion(SensorDevice device, string channel)
    {
        var files = SensorTree.Files(device.Folder).ToHashSet();
        double Number(string what, double without) => IioTree.Shared(files, channel, what) is { } file
            && double.TryParse(SensorTree.Text(device.Folder, file), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : without;
        var scale = Number("scale", double.NaN);
        return double.IsNaN(scale) ? (0, 1, new(1)) : (Number("offset", 0), scale, SensorQuantities.Iio(channel).Unit);
    }

    private static void Write(SensorDevice device, string file, string text)
    {
        try
        {
            File.WriteAllText(Path.Combine(device.Folder, file), text);
        }
        catch (UnauthorizedAccessException)
        {
            throw new SensorException(SensorFault.NotAllowed, $"{file} of {device.Title} may not be written by this user: a capture is set up by root, or a udev rule gives the group of the service the right");
        }
        catch (IOException refused)
        {
            throw new SensorException(
                refused is FileNotFoundException or DirectoryNotFoundException ? SensorFault.Gone : SensorFault.Unsupported,
                $"the kernel does not take \"{text}\" for {file} of {device.Title}: {refused.Message}. A capture needs a trigger that is there (`cat /sys/bus/iio/devices/trigger*/name`), and no other program that captures");
        }
    }
}
