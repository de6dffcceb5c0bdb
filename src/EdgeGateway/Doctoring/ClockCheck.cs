using EdgeGateway.Hosting;

namespace EdgeGateway.Doctoring;

/// <summary>The wall clock: whether somebody keeps it, how far off it may be, and what the gateway thinks of it (section 6 of the reliability requirements).</summary>
internal static class ClockCheck
{
    // The marks of the profiles for computers (docs/box.md), in seconds.
    private const double Off = 2;
    private const double FarOff = 10;
    private const string Source = "Name a time source that can be reached from here in /etc/systemd/timesyncd.conf (NTP=), then `sudo timedatectl set-ntp true`; `timedatectl timesync-status` shows how it does. Without any source set the clock by hand";

    public static IEnumerable<Finding> Look(Patient patient)
    {
        var now = patient.Now;
        var facts = patient.Clock.Read();
        if (now.ToUnixTimeMilliseconds() < GatewayClock.Earliest.UnixMilliseconds)
        {
            yield return Finding.Fault($"The clock says {now:yyyy-MM-dd HH:mm}Z, which is long ago: nobody has set it", Source);
        }
        else if (facts.IsRefused)
        {
            yield return Finding.NotChecked("The kernel may not be asked about the clock", "The service's SystemCallFilter must allow adjtimex and clock_adjtime (hardware/systemd/edgegateway.service does)");
        }
        else if (!facts.IsSynchronised)
        {
            yield return Finding.Warning($"No time source keeps the clock, {(facts.HasChip ? "and it drifts by seconds a week" : "and there is no clock chip with a battery: after a power cut it stands still until a source is found")}", Source);
        }
        else
        {
            var error = facts.MaximumError?.TotalSeconds ?? 0;
            yield return Finding.Marked(error, Off, FarOff, facts.MaximumError is null ? "A time source keeps the clock" : $"A time source keeps the clock, at most {error:G3} s off as the kernel estimates", Source);
        }

        if (patient.Status?.Clock is { } clock && (clock.HeldReadings > 0 || Math.Abs(clock.OffsetSeconds) > Off))
        {
            yield return Finding.Warning($"The gateway's time is {Math.Abs(clock.OffsetSeconds):F1} s {(clock.OffsetSeconds >= 0 ? "ahead of" : "behind")} the computer's clock, {clock.HeldReadings} readings wait for their dates: {clock.Text}", Source);
        }
    }
}
