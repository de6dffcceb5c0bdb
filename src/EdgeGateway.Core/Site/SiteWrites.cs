using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Site;

/// <summary>Joins what profiles declare writable with what the site allows: narrower only, and nothing unless it says so.</summary>
internal static class SiteWrites
{
    /// <summary>The writable points of a device.</summary>
    /// <param name="device">The device's block.</param>
    /// <param name="profile">Its profile.</param>
    /// <param name="settings">The settings of a point by id.</param>
    /// <param name="problems">Receives what is wrong.</param>
    public static IReadOnlyList<WritablePoint> Resolve(Section device, DeviceProfile profile, Func<string, Section> settings, ProblemCollector problems)
    {
        var allowed = device.Boolean("allowWrites") ?? false;
        if (allowed && !profile.Points.Any(p => p.Write is not null))
        {
            problems.Error(device.At("allowWrites"), $"'allowWrites' is set, but the profile {profile.Id} has no point that may be written", "Remove 'allowWrites', or use a profile that declares 'access: read-write'");
        }

        if (allowed && device.Integer("unit") == 0)
        {
            problems.Error(device.At("unit"), "writing to unit id 0 is a broadcast, which nobody confirms", "Write the device's own unit id, or remove 'allowWrites'");
        }

        var writable = new List<WritablePoint>();
        foreach (var point in profile.Points)
        {
            var block = settings(point.Id).Block("write", GatewayShape.PointWrite);
            if (point.Write is { } write)
            {
                writable.Add(Narrow(point, write, profile, block, allowed, problems));
            }
            else if (block.IsPresent)
            {
                problems.Error(block.Place, $"'{point.Id}' may not be written: the profile {profile.Id} declares it as read", "Remove 'write'; a site can narrow what the profile allows, not widen it");
            }

            if (block.IsPresent && point.Write is not null && !allowed)
            {
                problems.Warning(block.Place, $"'{point.Id}' has settings for writing, but writing to this device is not allowed", "Add 'allowWrites: true' to the device, or remove 'write'");
            }
        }

        return writable;
    }

    private static WritablePoint Narrow(ProfilePoint point, ProfileWrite write, DeviceProfile profile, Section block, bool allowed, ProblemCollector problems)
    {
        var (min, max, values) = (write.Min, write.Max, write.Values);
        if (values is not null && (block.Has("min") || block.Has("max")))
        {
            problems.Error(block.At(block.Has("min") ? "min" : "max"), $"'{point.Id}' takes only certain values, not a range", "Write 'values: [ ... ]' with some of those the profile declares");
        }
        else
        {
            min = Limit("min", block.Number("min"), min, static (site, limit) => site < limit);
            max = Limit("max", block.Number("max"), max, static (site, limit) => site > limit);
            if (min >= max)
            {
                problems.Error(block.Place, $"the range of '{point.Id}' from {min} to {max} is empty", "Write a minimum below the maximum");
            }
        }

        if (ProfileWrites.Values(block, "values", point.Id, point.Encoding, point.Symbols, problems) is { } chosen)
        {
            foreach (var value in chosen)
            {
                if (WritableValue.Fault(value, point.Encoding, write.Min, write.Max, write.Step, write.Min ?? 0, write.Values) is { } fault)
                {
                    problems.Error(block.At("values"), $"'{point.Id}': the profile {profile.Id} does not allow it: {fault}", "A site can narrow what the profile allows, not widen it");
                }
            }

            values = chosen;
        }

        var safe = write.Safe;
        if (block.Node("safe") is YamlScalar node)
        {
            safe = ProfileWrites.Value(node, point.Id, point.Encoding, point.Symbols, problems);
        }

        if (safe is { } fallBack && WritableValue.Fault(fallBack, point.Encoding, min, max, write.Step, write.Min ?? 0, values) is { } unsafeValue)
        {
            problems.Error(block.At("safe"), $"the safe value of '{point.Id}' is outside what this site allows: {unsafeValue}", "Add 'safe:' with a value inside the site's limits, or widen them");
        }

        var expires = block.Duration("expiresAfter");
        if (expires < TimeSpan.FromSeconds(1) || expires > TimeSpan.FromDays(30))
        {
            problems.Error(block.At("expiresAfter"), $"values of '{point.Id}' cannot expire after {expires.Value.TotalSeconds} s", "Write 1s to 30d");
        }

        var atStop = block.Text("atStop") == "safe";
        if (safe is null && !block.Has("safe") && (expires is not null || atStop))
        {
            problems.Error(block.At(expires is not null ? "expiresAfter" : "atStop"), $"'{point.Id}' has no safe value to fall back to", "Add 'safe:' with the value that does no harm");
        }

        var (readBackId, readBack) = write.ReadBackPoint is { } shown && profile.Points.FirstOrDefault(p => p.Id == shown) is { } other
            ? (other.Id, other.Encoding)
            : (point.Id, point.Encoding);
        return new WritablePoint
        {
            Id = point.Id,
            Unit = point.Unit,
            Encoding = point.Encoding,
            Symbols = point.Symbols,
            Allowed = allowed && (block.Boolean("allow") ?? true),
            Min = min,
            Max = max,
            Step = write.Step,
            StepFrom = write.Min ?? 0,
            Values = values,
            Single = write.Single,
            ReadBackAfter = write.ReadBackAfter,
            Tolerance = (double?)write.Tolerance ?? Resolution(point, write, readBack),
            Resolution = Resolution(point, write, readBack),
            ReadBackId = readBackId,
            ReadBack = readBack,
            Safe = safe,
            ExpiresAfter = expires,
            SafeAtStop = atStop,
        };

        decimal? Limit(string key, decimal? site, decimal? limit, Func<decimal, decimal, bool> isWider)
        {
            if (site is not { } wanted)
            {
                return limit;
            }

            if (limit is { } declared && isWider(wanted, declared))
            {
                problems.Error(block.At(key), $"the '{key}' of '{point.Id}', {wanted}, is wider than the profile {profile.Id} allows ({declared})", $"Write {declared} or {(key == "min" ? "more" : "less")}: a site can narrow the limits, not widen them");
            }

            return wanted;
        }
    }

    // Where only certain values exist, nothing else is right; a number may be off by rounding to the coarser of both registers, and not by a whole step:
    // the value beside it is another one.
    private static double Resolution(ProfilePoint point, ProfileWrite write, RegisterEncoding readBack)
    {
        if (write.Values is not null)
        {
            return 0;
        }

        var largest = Math.Max(Math.Abs((double)(write.Min ?? 0)), Math.Abs((double)(write.Max ?? 0)));
        return Math.Max(Step(point.Encoding), Step(readBack));

        double Step(RegisterEncoding encoding) => encoding.Type switch
        {
            RegisterType.Float16 => largest * 1e-3,
            RegisterType.Float32 => largest * 1e-6,
            RegisterType.Float64 => largest * 1e-12,
            _ => (double)Math.Abs(encoding.Scale) / 2 * (1 + 1e-9),
        };
    }
}
