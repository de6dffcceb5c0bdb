using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>Resolves <c>access</c> and <c>write</c> of a point and checks that every limit a safe write needs is declared.</summary>
internal static class ProfileWrites
{
    /// <summary>Longest wait before reading back: the bus waits as long.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>The write block of a point; null when the point is only read, or when what is wrong has been reported.</summary>
    public static ProfileWrite? Resolve(Section section, string id, RegisterEncoding encoding, PointKind kind, IReadOnlyDictionary<long, string>? symbols, ProblemCollector problems)
    {
        var access = section.Text("access") ?? "read";
        var write = section.Block("write", ProfileShape.Write);
        if (access == "read")
        {
            if (write.IsPresent)
            {
                problems.Error(write.Place, $"'{id}' has a 'write' block, but its access is 'read'", "Add 'access: read-write', or remove 'write'");
            }

            return null;
        }

        if (!write.IsPresent)
        {
            problems.Error(section.At("access"), $"'{id}' is {access}, but what may be written is not declared", "Add 'write:' with min and max, or with values");
            return null;
        }

        if (!MayBeWritten(section, id, encoding, kind, problems))
        {
            return null;
        }

        var function = write.Text("function");
        if (function == "single" && encoding.Length > 1)
        {
            problems.Error(write.At("function"), $"'{id}' occupies {encoding.Length} registers, function 06 writes one", "Write 'function: multiple', so that no half value is ever seen");
        }

        var after = write.Block("readBack", ProfileShape.ReadBack);
        var wait = after.Duration("after") ?? TimeSpan.Zero;
        if (wait > LongestWait)
        {
            problems.Error(after.At("after"), $"'{id}' is read back {wait.TotalSeconds} s after the write, and the bus would wait as long", "Write 5s or less");
        }

        var tolerance = after.Number("tolerance");
        if (tolerance < 0)
        {
            problems.Error(after.At("tolerance"), $"the tolerance of '{id}' is negative", "Write 0 or more, in the point's unit");
        }

        if (access == "write-only" && !after.Has("point"))
        {
            problems.Error(write.Place, $"'{id}' can only be written, and no point shows what became of it", "Add 'readBack: { point: ... }' with the point that shows the effect; a write that cannot be read back is not allowed");
        }

        if (after.Has("point") && section.Has("perPhase"))
        {
            problems.Error(after.At("point"), $"'{id}' is expanded to parts, one 'readBack.point' cannot show them all", "Write the parts as points of their own, or remove 'readBack.point'");
        }

        var limits = new ProfileWrite
        {
            Min = write.Number("min"),
            Max = write.Number("max"),
            Step = write.Number("step"),
            Values = Values(write, "values", id, encoding, symbols, problems),
            Single = encoding.Length == 1 && function != "multiple",
            ReadBackAfter = wait,
            Tolerance = tolerance,
            ReadBackPoint = after.Text("point"),
        };
        if (!Check(write, id, encoding, kind, ref limits, problems))
        {
            return null;
        }

        return write.Node("safe") is not YamlScalar safe ? limits : limits with { Safe = Safe(safe, id, encoding, symbols, limits, problems) };
    }

    /// <summary>A number in the point's unit, or the symbol of a state; null with a problem when it is neither.</summary>
    public static decimal? Value(YamlScalar node, string id, RegisterEncoding encoding, IReadOnlyDictionary<long, string>? symbols, ProblemCollector problems)
    {
        if (WritableValue.Parse(node.Text, encoding, symbols) is { } value)
        {
            return value;
        }

        var names = symbols is null ? "" : $" or one of {string.Join(", ", symbols.Values.Order(StringComparer.Ordinal))}";
        problems.Error(node, $"'{node.Text}' is no value of '{id}'", $"Write a number in the point's unit{names}");
        return null;
    }

    /// <summary>The values of a list; null when it is absent.</summary>
    public static IReadOnlyList<decimal>? Values(Section write, string key, string id, RegisterEncoding encoding, IReadOnlyDictionary<long, string>? symbols, ProblemCollector problems)
    {
        if (!write.Has(key))
        {
            return null;
        }

        var values = new List<decimal>();
        foreach (var node in write.Scalars(key))
        {
            if (Value(node, id, encoding, symbols, problems) is { } value)
            {
                values.Add(value);
            }
        }

        return values;
    }

    private static decimal? Safe(YamlScalar node, string id, RegisterEncoding encoding, IReadOnlyDictionary<long, string>? symbols, ProfileWrite limits, ProblemCollector problems)
    {
        var value = Value(node, id, encoding, symbols, problems);
        if (value is { } safe && WritableValue.Fault(safe, encoding, limits.Min, limits.Max, limits.Step, limits.Min ?? 0, limits.Values) is { } fault)
        {
            problems.Error(node, $"the safe value of '{id}' may not be written itself: {fault}", "Write a safe value inside the limits, or correct the limits");
        }

        return value;
    }

    private static bool MayBeWritten(Section section, string id, RegisterEncoding encoding, PointKind kind, ProblemCollector problems)
    {
        var (what, cure) = encoding switch
        {
            { Table: RegisterTable.InputRegister or RegisterTable.DiscreteInput } =>
                ("stands in a table that Modbus only reads", "Only coils and holding registers can be written: correct 'table', or 'access: read'"),
            { Table: RegisterTable.HoldingRegister } when encoding.Type == RegisterType.Bit || encoding.BitCount > 0 =>
                ("is a part of a register: writing the whole register could undo what the device changed in its other bits", "Write the register as a point of its own, or 'access: read'"),
            { ScaleAt: not null } =>
                ("is scaled by another register of the device: its limits would not be fixed", "Write 'access: read'"),
            { Type: RegisterType.Text or RegisterType.DateTime } =>
                ("is a text or a time, which has no limits", "Write 'access: read'"),
            _ => ("", ""),
        };
        if (what.Length == 0 && kind == PointKind.Counter)
        {
            (what, cure) = ("is a counter, and totals are never written", "Write 'access: read'");
        }

        if (what.Length == 0 && section.Has("applies"))
        {
            (what, cure) = ("is multiplied by transformer ratios, so its limits would depend on the site", "Write 'access: read'");
        }

        if (what.Length == 0)
        {
            return true;
        }

        problems.Error(section.At("access"), $"'{id}' {what}", cure);
        return false;
    }

    private static bool Check(Section write, string id, RegisterEncoding encoding, PointKind kind, ref ProfileWrite limits, ProblemCollector problems)
    {
        if (limits.Values is not null)
        {
            if (limits.Min is not null || limits.Max is not null || limits.Step is not null)
            {
                problems.Error(write.At("values"), $"'{id}' declares both values and a range", "Keep 'values', or 'min', 'max' and 'step'");
                return false;
            }

            foreach (var value in limits.Values)
            {
                if (WritableValue.NotExpressible(value, encoding) is { } fault)
                {
                    problems.Error(write.At("values"), $"'{id}': {fault}", "Correct 'values', the type or the scale");
                    return false;
                }
            }

            return true;
        }

        if (encoding.Type == RegisterType.Bit && limits is { Min: null, Max: null, Step: null })
        {
            // A coil has no other values.
            limits = limits with { Values = [0, 1] };
            return true;
        }

        if (kind == PointKind.State)
        {
            problems.Error(write.Place, $"'{id}' is a state, and which values may be written is not declared", "Add 'values: [ ... ]' with numbers or names of the enum");
            return false;
        }

        if (limits.Min is not { } min || limits.Max is not { } max)
        {
            problems.Error(write.Place, $"'{id}' may be written, but its limits are not complete: {(limits.Min is null ? "'min'" : "'max'")} is missing", "Add 'min:' and 'max:' in the point's unit, as the manual states them, or 'values:'");
            return false;
        }

        if (min >= max)
        {
            problems.Error(write.At("min"), $"the range of '{id}' from {min} to {max} is empty", "Write a minimum below the maximum");
            return false;
        }

        foreach (var (key, value) in new[] { ("min", min), ("max", max) })
        {
            if (WritableValue.NotExpressible(value, encoding) is { } fault)
            {
                problems.Error(write.At(key), $"'{id}': {fault}", "Correct the limit, the type or the scale");
                return false;
            }
        }

        var raw = Math.Abs(encoding.Scale);
        if (limits.Step is { } step && (step <= 0 || (encoding.IsStepped && step % raw != 0)))
        {
            problems.Error(write.At("step"), $"the step {step} of '{id}' is not a whole number of steps of its register ({raw})", $"Write a multiple of {raw}, or remove 'step'");
            return false;
        }

        return true;
    }
}
