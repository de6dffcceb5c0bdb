using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Protocols.Sensors;

/// <summary>The kernel's error numbers in words that say what to do.</summary>
internal static class SensorErrors
{
    /// <summary>What an error of a reading means.</summary>
    public static SensorStatus StatusOf(int error) => error switch
    {
        Libc.DeviceGone or Libc.NoEntry => SensorStatus.Gone,
        Libc.NoSuchDevice or Libc.RemoteIo or Libc.InputOutput or Libc.TimedOut => SensorStatus.NoAnswer,
        Libc.AccessDenied or Libc.NotPermitted => SensorStatus.NotAllowed,
        Libc.NoData => SensorStatus.Disabled,
        Libc.Busy or Libc.TryAgain => SensorStatus.Busy,
        _ => SensorStatus.Unreadable,
    };

    /// <summary>The words of a reading without a value, or with an alarm.</summary>
    /// <param name="what">The channel, as people name it.</param>
    /// <param name="status">How the reading ended.</param>
    /// <param name="error">The kernel's number of the error, or 0.</param>
    public static string Describe(string what, SensorStatus status, int error) => status switch
    {
        SensorStatus.Good => "",
        SensorStatus.Alarm => $"{what}: the chip reports an alarm",
        SensorStatus.Fault => $"{what}: the chip reports a fault, so that its value means nothing: is the sensor open, shorted or not connected?",
        SensorStatus.Disabled => $"{what} is switched off in the kernel{Number(error)}: write 1 to its file *_enable",
        SensorStatus.PowerOn => $"{what} shows what it holds at power-on (85 °C) and not a measurement: it lost its power while it measured. Check its supply and its pull-up of 4.7 kOhm, and use three wires instead of parasite power",
        SensorStatus.Checksum => $"{what}: the checksum of its answer is wrong: noise on the line, a weak pull-up (4.7 kOhm, less on long lines) or a branch that is too long",
        SensorStatus.NoAnswer => $"{what} does not answer{Number(error)}: is it plugged in and powered, and is the wiring sound?",
        SensorStatus.Gone => $"{what} was removed{Number(error)}: unplugged, or its driver unloaded. It is looked for again",
        SensorStatus.NotAllowed => $"{what} may not be read by this user{Number(error)}: files of sysfs can be read by all unless somebody took that away; look at their owner and mode, and at the sandbox of the service",
        SensorStatus.Busy => $"{what} is in use by another program{Number(error)}, as it is while samples are captured: stop that program, or turn the capture off (`echo 0 | sudo tee .../buffer/enable`)",
        SensorStatus.Late => $"{what}: the reading takes longer than it may",
        _ when error != 0 => $"{what} cannot be read{Number(error)}",
        _ => $"{what} shows no number",
    };

    /// <summary>Why a capture cannot be set up or goes on no longer.</summary>
    public static SensorException Failed(string what, int error) => new(
        StatusOf(error) switch
        {
            SensorStatus.Gone => SensorFault.Gone,
            SensorStatus.NoAnswer => SensorFault.NoAnswer,
            SensorStatus.NotAllowed => SensorFault.NotAllowed,
            SensorStatus.Busy => SensorFault.Busy,
            _ => error == Libc.Invalid ? SensorFault.Unsupported : SensorFault.Other,
        },
        $"{what}: {Words(error)}");

    public static string Words(int error) => $"{Marshal.GetPInvokeErrorMessage(error)}, errno {error}";

    private static string Number(int error) => error == 0 ? "" : $" ({Words(error)})";
}
