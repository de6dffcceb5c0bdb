using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>Resolves the points of one profile (defaults, phases) and checks the rules that the schema cannot say.</summary>
internal sealed class ProfilePoints(Section defaults, Section poll, Section addressing, HashSet<string> sources, int maxRegisters, bool mayReadGaps, ProblemCollector problems)
{
    private readonly List<(ProfilePoint Point, YamlNode Node)> _resolved = [];

    /// <summary>Ids that the file means to declare, also where the entry has an error: what names them has no problem of its own.</summary>
    public HashSet<string> Declared { get; } = [];

    /// <summary>Resolves one entry of <c>points</c> and appends its points.</summary>
    public void Expand(YamlMap entry, List<ProfilePoint> points)
    {
        var section = new Section(entry, ProfileShape.Point, entry);
        CheckCitations(section);
        Declared.UnionWith(section.Text("id") is not { } name ? [] : section.Has("perPhase") ? section.Scalars("perPhase").Select(p => $"{name}_{p.Text}") : [name]);
        if (Encoding(section, ProfileShape.Point) is not { } encoding || section.Text("id") is not { } id)
        {
            return;
        }

        var parts = section.Scalars("perPhase");
        var stride = section.Integer("stride") ?? 0;
        if (parts.Count > 1 && !section.Has("stride"))
        {
            problems.Error(section.At("perPhase"), $"'{id}' is expanded to {parts.Count} parts, but 'stride' is missing", "Add 'stride:' with the number of addresses from one part to the next");
            return;
        }

        if (parts.Count > 1 && stride < encoding.Length)
        {
            problems.Error(section.At("stride"), $"the stride of '{id}' is {stride}, but a {TypeName(encoding)} occupies {encoding.Length} registers", $"Write a stride of at least {encoding.Length}");
            return;
        }

        if (section.Has("stride") && parts.Count == 0)
        {
            problems.Error(section.At("stride"), $"'{id}' has a stride but no 'perPhase'", "Add perPhase: [l1, l2, l3], or remove the stride");
        }

        var last = encoding.Address + (Math.Max(0, parts.Count - 1) * stride) + encoding.Length - 1;
        if (last > ushort.MaxValue)
        {
            problems.Error(section.At("at"), $"'{id}' reaches to address {last}, the last one is 65535", "Correct 'at' or 'stride'");
            return;
        }

        if (encoding.Length > maxRegisters)
        {
            problems.Error(section.At("type"), $"'{id}' occupies {encoding.Length} registers, the device answers {maxRegisters} at most (maxRegistersPerRead)", "Correct the type or maxRegistersPerRead");
        }

        var furthest = Enumerable.Range(0, Math.Max(1, parts.Count)).Select(i => (encoding with { Address = (ushort)(encoding.Address + (i * stride)) }).Span.Length).Max();
        if (encoding.ScaleAt is { } scaleAt && furthest > maxRegisters)
        {
            problems.Error(section.At("scaleAt"), $"'{id}' and its scale register at {scaleAt} span {furthest} registers, and one request brings {maxRegisters} at most (maxRegistersPerRead)", "Value and scale must come from one reply. Name a nearer scale register, raise maxRegistersPerRead if the device answers more, or leave the point out");
        }

        CheckAddress(section, encoding, id);
        CheckPrinted(section, encoding, id);
        var template = Template(section, id, encoding);
        if (template is null)
        {
            return;
        }

        if (parts.Count == 0)
        {
            Add(template, section.Place);
            return;
        }

        for (var i = 0; i < parts.Count; i++)
        {
            var part = parts[i].Text;
            var role = Roles.Find(template.Role);
            if (role is not null && !role.Parts.Contains(part))
            {
                problems.Error(parts[i], $"the role {template.Role} has no part '{part}'", role.Parts.Count == 0 ? "Remove perPhase" : $"{Spelling.Hint(part, role.Parts)}Its parts are {string.Join(", ", role.Parts)}");
            }

            Add(template with
            {
                Id = $"{template.Id}_{part}",
                Role = $"{template.Role}.{part}",
                TitleEnglish = $"{template.TitleEnglish} {RoleParts.English(part)}",
                TitleChinese = $"{template.TitleChinese} {RoleParts.Chinese(part)}",
                Encoding = template.Encoding with { Address = (ushort)(encoding.Address + (i * stride)) },
            }, section.Place);
        }

        void Add(ProfilePoint point, YamlNode node)
        {
            _resolved.Add((point, node));
            points.Add(point);
        }
    }

    /// <summary>Checks what concerns several points: names, overlapping registers, one register for one carbon role.</summary>
    public void CheckTogether()
    {
        foreach (var twice in _resolved.GroupBy(p => p.Point.Id).Where(g => g.Count() > 1))
        {
            problems.Error(twice.Last().Node, $"the point '{twice.Key}' exists twice (first in line {twice.First().Node.Line})", "Give each point its own id");
        }

        foreach (var twice in _resolved.Where(p => p.Point.Carbon is not null).GroupBy(p => p.Point.Carbon!.Method).Where(g => g.Count() > 1))
        {
            problems.Error(twice.Last().Node, $"two points enter the carbon account as {twice.Key} ({twice.First().Point.Id} and {twice.Last().Point.Id})", "Keep 'carbon' on the total register only; otherwise the energy is counted twice");
        }

        foreach (var (point, node) in _resolved)
        {
            if (point.Write?.ReadBackPoint is not { } shown)
            {
                continue;
            }

            var other = _resolved.Find(p => p.Point.Id == shown).Point;
            if (other is null ? !Declared.Contains(shown) : other.WriteOnly || other.Unit != point.Unit)
            {
                problems.Error(
                    node,
                    other is null ? $"'{point.Id}' is read back from '{shown}', which the profile does not have" : $"'{point.Id}' in {point.Unit} cannot be read back from '{shown}'{(other.WriteOnly ? ", which can only be written" : $" in {other.Unit}")}",
                    $"{(other is null ? Spelling.Hint(shown, _resolved.Select(p => p.Point.Id)) : "")}Name a point of this file that can be read and has the same unit");
            }
        }

        foreach (var table in _resolved.GroupBy(p => p.Point.Encoding.Table))
        {
            var sorted = table.OrderBy(p => p.Point.Encoding.Address).ToList();
            for (var i = 0; i < sorted.Count; i++)
            {
                for (var j = i + 1; j < sorted.Count && j <= i + 64; j++)
                {
                    var (first, second) = (sorted[i].Point, sorted[j].Point);
                    if (second.Encoding.Address >= first.Encoding.Address + first.Encoding.Length)
                    {
                        continue;
                    }

                    // Bits of a word are declared views: on the word, and beside each other.
                    var (a, b) = (BitsOf(first.Encoding), BitsOf(second.Encoding));
                    var isView = table.Key is RegisterTable.HoldingRegister or RegisterTable.InputRegister
                        && (a is not null || b is not null)
                        && !(a is { } x && b is { } y && first.Encoding.Address == second.Encoding.Address && x.First <= y.Last && y.First <= x.Last);
                    if (!isView && first.Id != second.Id)
                    {
                        var later = sorted[i].Node.Line > sorted[j].Node.Line ? sorted[i] : sorted[j];
                        problems.Error(later.Node, $"'{second.Id}' at {second.Encoding.Address} overlaps '{first.Id}' at {first.Encoding.Address} ({first.Encoding.Length} registers of the {ProfileWords.Table(table.Key)} table)", "Correct 'at', 'type' or 'stride' of one of them; each register belongs to one point, only bits of a word may share it");
                    }
                }
            }
        }
    }

    /// <summary>Checks that each scale register can come with its values in one request, and that it is a register of its own.</summary>
    public void CheckScaleRegisters()
    {
        foreach (var (point, node) in _resolved)
        {
            if (point.Encoding.ScaleAt is not { } at)
            {
                continue;
            }

            var others = _resolved.Select(p => p.Point).Where(p => p.Encoding.Table == point.Encoding.Table).ToList();
            if (others.Find(p => p.Encoding.Length > 1 && at >= p.Encoding.Address && at < p.Encoding.Address + p.Encoding.Length) is { } inside)
            {
                problems.Error(node, $"the scale register of '{point.Id}' at {at} lies inside '{inside.Id}' ({inside.Encoding.Length} registers at {inside.Encoding.Address})", "Correct 'scaleAt', or the address of the other point");
                continue;
            }

            var named = others.SelectMany(p => Enumerable.Range(p.Encoding.Address, p.Encoding.Length)).Concat(others.Where(p => p.Encoding.ScaleAt is not null).Select(p => (int)p.Encoding.ScaleAt!)).ToHashSet();
            var span = point.Encoding.Span;
            if (!mayReadGaps && Enumerable.Range(span.First, span.Length).Cast<int?>().FirstOrDefault(a => !named.Contains(a!.Value)) is { } gap)
            {
                problems.Error(node, $"between '{point.Id}' and its scale register at {at} lies the address {gap}, which no point names, and mayReadGaps is false", "One request must bring value and scale. Set 'mayReadGaps: true' where the device answers such addresses; SunSpec models are readable throughout");
            }
        }
    }

    /// <summary>Resolves one entry of <c>identify</c>.</summary>
    public IdentifyProbe? Probe(YamlMap entry)
    {
        var section = new Section(entry, ProfileShape.Identify, entry);
        var (min, max) = ((double?)section.Number("min"), (double?)section.Number("max"));
        var anyOf = new Dictionary<ulong, string>();
        if (section.Has("point") == section.Has("at"))
        {
            problems.Error(entry, "an identify probe names either a 'point' or a register with 'at' and 'type'", "Write { point: frequency, min: 45, max: 65 } or { at: 0x8960, type: uint32, anyOf: { ... } }");
            return null;
        }

        if (!section.Has("anyOf") && !section.Has("min") && !section.Has("max"))
        {
            problems.Error(entry, "an identify probe needs 'anyOf' or a range ('min', 'max')", "State which answers are right");
            return null;
        }

        RegisterEncoding? encoding;
        if (section.Has("point"))
        {
            if (section.Text("point") is not { } id)
            {
                return null; // Reported by the shape.
            }

            var probed = _resolved.Find(p => p.Point.Id == id).Point;
            if (probed is { WriteOnly: true })
            {
                problems.Error(section.At("point"), $"the identify probe names '{id}', which can only be written", "Name a point that can be read");
                return null;
            }

            encoding = probed?.Encoding;
            if (encoding?.Type == RegisterType.Text)
            {
                problems.Error(section.At("point"), $"the point '{id}' is a text, and a probe compares numbers", "Probe its first registers with 'at' and 'type: uint32'");
                return null;
            }

            if (encoding is null && Declared.Contains(id))
            {
                return null;
            }

            if (encoding is null)
            {
                problems.Error(section.At("point"), $"the identify probe names the point '{id}', which the profile does not have", $"{Spelling.Hint(id, _resolved.Select(p => p.Point.Id))}Name a point of this file");
                return null;
            }
        }
        else
        {
            CheckCitations(section);
            if (!section.Has("source"))
            {
                problems.Error(entry, "the register of the identify probe cites no source", "Add 'source:'");
            }

            encoding = Encoding(section, ProfileShape.Identify);
            if (encoding is null)
            {
                return null;
            }
        }

        if (encoding.ScaleAt is not null && section.Has("anyOf"))
        {
            problems.Error(section.At("anyOf"), $"the point '{section.Text("point")}' has a scale register, so 'anyOf' could match only while that holds 0", "Probe its register alone with 'at' and 'type', or write 'min' and 'max' in the unit of the point");
            return null;
        }

        foreach (var (key, value) in (section.Node("anyOf") as YamlMap)?.Entries ?? [])
        {
            if (Raw(key, encoding) is { } raw)
            {
                anyOf[raw] = (value as YamlScalar)?.Text ?? "";
            }
        }

        return new(encoding, anyOf, min, max, section.Text("point"));
    }

    private RegisterEncoding? Encoding(Section section, ObjectShape shape)
    {
        var table = section.Text("table") ?? defaults.Text("table");
        if (table is null && !section.Has("table") && !defaults.Has("table"))
        {
            problems.Error(section.Place, "the register table is not stated", "Add 'table: holding' (or input, coil, discrete) here or under 'defaults'");
        }

        if (section.Integer("at") is not { } at || section.Text("type") is not { } typeName || table is null)
        {
            if (shape == ProfileShape.Identify && !section.Has("type"))
            {
                problems.Error(section.Place, "the type of the probed register is not stated", "Add 'type:'");
            }

            return null;
        }

        var type = TypeWords.TypeOf(typeName);
        var encoding = new RegisterEncoding
        {
            Address = (ushort)at,
            Type = type,
            Table = TableOf(table),
        };

        if (shape == ProfileShape.Point)
        {
            if (new PointType(section, typeName, problems).Complete(encoding) is not { } complete)
            {
                return null;
            }

            encoding = complete;
        }

        // Texts and dates stand in address order whatever the device does with its numbers.
        var isNumber = type is not (RegisterType.Text or RegisterType.DateTime);
        var words = section.Text("wordOrder") ?? (isNumber ? defaults.Text("wordOrder") : null);
        if (encoding.Length > 1 && isNumber && words is null && !section.Has("wordOrder") && !defaults.Has("wordOrder"))
        {
            problems.Error(section.At("type"), $"{(typeName[0] == 'i' ? "an" : "a")} {typeName} needs a word order, and none is stated", "Add 'wordOrder: high-first' or 'low-first' here or under 'defaults'; the manual or a reading of a known value tells which");
        }

        var inBits = encoding.Table is RegisterTable.Coil or RegisterTable.DiscreteInput;
        if (inBits && type != RegisterType.Bit)
        {
            problems.Error(section.At("type"), $"the {table} table holds bits, not a {typeName}", "Write 'type: bit', or another table");
        }

        var bytes = (shape == ProfileShape.Point ? section.Text("byteOrder") : null) ?? defaults.Text("byteOrder");
        encoding = encoding with
        {
            WordOrder = words == "low-first" ? WordOrder.LowFirst : WordOrder.HighFirst,
            ByteOrder = bytes == "little" ? ByteOrder.Little : ByteOrder.Big,
        };
        if (shape != ProfileShape.Point)
        {
            return encoding;
        }

        if (type == RegisterType.Bit && !inBits && !section.Has("bit"))
        {
            problems.Error(section.At("type"), "a bit of a register needs its number", "Add 'bit:' with 0 (least significant) to 15");
        }
        else if (section.Has("bit") && (type != RegisterType.Bit || inBits))
        {
            problems.Error(section.At("bit"), "'bit' belongs to 'type: bit' in a register table", "Remove it");
        }

        var scale = section.Number("scale") ?? 1;
        var offset = section.Number("offset") ?? 0;
        if (scale == 0 || Math.Abs(scale) > 1e9m || Math.Abs(offset) > 1e9m)
        {
            problems.Error(section.At(scale == 0 ? "scale" : "offset"), "scale must not be 0, and neither scale nor offset exceeds 10^9", "Correct the number");
            scale = 1;
        }

        if (section.Text("sign") == "export-positive")
        {
            if (type is RegisterType.Bit or RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64 or RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64)
            {
                problems.Error(section.At("sign"), $"a {typeName} has no sign to turn round", "Remove 'sign', or correct the type");
            }

            (scale, offset) = (-scale, -offset);
        }

        if (!encoding.IsStepped && Math.Abs(scale) != 1 && IsPowerOfTen(scale) && !section.Has("why"))
        {
            problems.Error(section.At("scale"), $"a float with the scale {scale} is suspicious: floats come in whole units", "Change the unit instead (W and kW), or add 'why:' with the place where the manual says so");
        }

        return encoding with { Bit = section.Integer("bit") is { } bit ? (byte)bit : encoding.Bit, Scale = scale, Offset = offset, Invalid = Invalid(section, encoding) };
    }

    private ulong[] Invalid(Section section, RegisterEncoding encoding)
    {
        var nodes = section.Node("invalid") is YamlScalar single ? [single] : section.Scalars("invalid");
        var codes = new List<ulong>();
        foreach (var node in nodes)
        {
            if (Raw(node, encoding) is { } raw)
            {
                codes.Add(raw);
            }
        }

        return [.. codes];
    }

    // A code is written as the image of the register (0xFFFF); a negative number stands for its two's complement.
    private ulong? Raw(YamlScalar node, RegisterEncoding encoding)
    {
        if (!node.IsPlain || !Quantities.TryInteger(node.Text, out var value))
        {
            return null;
        }

        var bits = encoding.RawBits;
        var lowest = encoding.Type is RegisterType.Int16 or RegisterType.Int32 or RegisterType.Int64 ? -((Int128)1 << (bits - 1)) : 0;
        if (value < lowest || value >= (Int128)1 << bits)
        {
            problems.Error(node, $"{node.Text} does not fit a {TypeName(encoding)} of {bits} bits", "Write the image of the register, or correct the type");
            return null;
        }

        return (ulong)(value & (((Int128)1 << bits) - 1));
    }

    private void CheckAddress(Section section, RegisterEncoding encoding, string id)
    {
        // Where 'printed' and 'addressing' are stated, the check of both is the confirmation.
        var isChecked = section.Has("printed") && addressing.Has(ProfileWords.Table(encoding.Table));
        if (encoding.Address is (>= 30_001 and <= 39_999) or (>= 40_001 and <= 49_999) && section.Boolean("addressConfirmed") != true && !isChecked)
        {
            problems.Warning(section.At("at"), $"the address {encoding.Address} of '{id}' looks like a number printed in a manual, not like a wire address", "Subtract 30001 or 40001; or, when the wire address really is that large, add 'addressConfirmed: true'");
        }
    }

    // 40001, 4x0001, 400,001 and 0x2000 are numbers; P0.03 or 3.2 are names that say nothing about an address.
    private void CheckPrinted(Section section, RegisterEncoding encoding, string id)
    {
        if (section.Text("printed") is not { } written || !TryPrinted(written, out var printed))
        {
            return;
        }

        var table = ProfileWords.Table(encoding.Table);
        if (addressing.Integer(table) is not { } first)
        {
            if (!addressing.Has(table))
            {
                problems.Warning(section.At("printed"), $"'printed' of '{id}' cannot be checked: how the manual numbers the {table} table is not stated", $"Add 'addressing: {{ {table}: 40001 }}' with the number that the manual prints for the wire address 0");
            }

            return;
        }

        if (printed - first != encoding.Address)
        {
            var meant = printed - first;
            problems.Error(
                section.At("printed"),
                $"'{id}' is printed as {written}, which is the wire address {meant} (addressing: {table} begins with {first}), but 'at' is {encoding.Address}",
                meant is >= 0 and <= ushort.MaxValue
                    ? $"Write 'at: {meant}', or correct 'printed'{(Math.Abs(meant - encoding.Address) == 1 ? "; a difference of 1 is the usual slip between printed numbers and wire addresses" : "")}"
                    : "Correct 'addressing' or 'printed'");
        }
    }

    private static bool TryPrinted(string written, out int number)
    {
        number = 0;
        var plain = written.Replace(",", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        if (plain is [>= '0' and <= '4', 'x' or 'X', _, _, _, _, ..] && plain[0] != '0')
        {
            plain = plain[0] + plain[2..];
        }

        if (plain.StartsWith("0X", StringComparison.Ordinal))
        {
            plain = "0x" + plain[2..];
        }

        if (!Quantities.TryInteger(plain, out var value) || value < 0 || value > 1_000_000)
        {
            return false;
        }

        number = (int)value;
        return true;
    }

    /// <summary>Checks the statement that the registers are a SunSpec model; null when they are none.</summary>
    public SunSpecModel? SunSpec(Section block)
    {
        if (!block.IsPresent || block.Integer("model") is not { } number)
        {
            return null;
        }

        foreach (var (point, node) in _resolved)
        {
            if (point.Encoding.Table != RegisterTable.HoldingRegister)
            {
                problems.Error(node, $"'{point.Id}' stands in the {ProfileWords.Table(point.Encoding.Table)} table, a SunSpec model in the holding table", "Write 'table: holding'");
            }

            if (point.Write is not null)
            {
                problems.Error(node, $"'{point.Id}' may be written, and points of a SunSpec model are only read", "Remove 'access' and 'write'");
            }
        }

        var end = _resolved.Select(p => p.Point.Encoding.Span.End).DefaultIfEmpty(2).Max();
        var length = block.Integer("length") ?? Math.Max(1, end - 2);
        if (_resolved.Find(p => p.Point.Encoding.Span.End > length + 2) is { Point: { } beyond, Node: { } place })
        {
            problems.Error(place, $"'{beyond.Id}' ends at {beyond.Encoding.Span.End - 1}, behind the model: a length of {length} ends at {length + 1}", "Correct 'at' (it counts from the register that holds the model's number), or 'length'");
        }

        return new((ushort)number, length);
    }

    private void CheckCitations(Section section)
    {
        foreach (var citation in section.List("source"))
        {
            var (name, node) = citation switch
            {
                YamlScalar scalar => (scalar.Text, scalar),
                YamlMap map => (map.Text("id"), map["id"] ?? map),
                _ => (null, citation),
            };
            if (name is not null && node is not YamlScalar { IsBlank: true } && !sources.Contains(name))
            {
                problems.Error(node, $"the source '{name}' is not declared", $"{Spelling.Hint(name, sources)}Declare it under 'sources'");
            }
        }
    }

    private ProfilePoint? Template(Section section, string id, RegisterEncoding encoding)
    {
        var unit = Unit(section, "unit");
        var role = Role(section, unit);
        if (unit is null || role is null)
        {
            return null;
        }

        var counter = Counter(section, role, unit, encoding);
        var plausible = section.Block("plausible", ProfileShape.Plausible);
        var (min, max) = (plausible.Number("min"), plausible.Number("max"));
        CheckPlausible(section, plausible, min, max, encoding);
        var isText = encoding.Type == RegisterType.Text;
        if (isText && role.Kind != PointKind.State)
        {
            problems.Error(section.At("role"), $"'{id}' is a text, and the role {role.Name} is a number", "Use a role that names the device (device.serial_number, device.model ...), or correct the type");
        }

        if (isText && section.Text("poll") is not (null or "once"))
        {
            problems.Error(section.At("poll"), $"'{id}' is a text, and texts are read once, when the device is first reached", "Write 'poll: once', or remove it");
        }

        var anomaly = section.Block("anomaly", ProfileShape.Anomaly);
        var novelty = anomaly.Text("novelty");
        if (novelty == "on" && role.Kind != PointKind.Gauge)
        {
            problems.Error(anomaly.At("novelty"), $"'novelty' watches gauges, '{id}' is none", "Remove 'novelty'");
        }

        var falseAlarms = anomaly.Number("falseAlarmsPerDay");
        if (falseAlarms is <= 0 or > NoveltyRule.MostFalseAlarmsPerDay)
        {
            problems.Error(anomaly.At("falseAlarmsPerDay"), $"{falseAlarms} false alarms a day cannot be asked for", "Write more than 0 and at most 1000, 0.1 for one in ten days");
        }

        var symbols = Symbols(section, encoding);
        var alarms = new List<ProfileFlag>();
        var flags = Flags(section, encoding, role, alarms);
        return new ProfilePoint
        {
            Id = id,
            Kind = isText ? PointKind.Text : role.Kind,
            Role = section.Text("role")!,
            TitleEnglish = Title(section, "en") ?? RoleParts.TitleEnglish(role, section.Text("role")!),
            TitleChinese = Title(section, "zh") ?? Title(section, "en") ?? RoleParts.TitleChinese(role, section.Text("role")!),
            Printed = section.Text("printed"),
            Unit = unit.Code,
            Encoding = encoding,
            Period = isText ? TimeSpan.Zero : Period(section),
            PlausibleMin = (double?)min,
            PlausibleMax = (double?)max,
            MaxRatePerSecond = (double?)plausible.Number("maxRate"),
            Counter = counter,
            Detectors = [.. Detectors(section), .. FlagDetectors(section, alarms)],
            Novelty = novelty is null ? null : novelty == "on",
            FalseAlarmsPerDay = (double?)falseAlarms,
            Carbon = Carbon(section, role),
            Symbols = symbols,
            Flags = flags,
            Alarms = alarms,
            AlarmPriority = AlarmWords.Priority(section.Text("priority")) ?? AlarmPriority.High,
            WriteOnly = section.Text("access") == "write-only",
            Write = ProfileWrites.Resolve(section, id, encoding, role.Kind, symbols, problems),
            AppliesPulses = section.Scalars("applies").Any(s => s.Text == "pulses"),
            AppliesCt = section.Scalars("applies").Any(s => s.Text == "ct"),
            AppliesPt = section.Scalars("applies").Any(s => s.Text == "pt"),
            Sources = [.. section.List("source").Select(c => c is YamlScalar s ? s.Text : (c as YamlMap)?.Text("id") ?? "")],
            Note = section.Text("note"),
        };
    }

    private Unit? Unit(Section section, string key)
    {
        if (section.Text(key) is not { } code)
        {
            return null;
        }

        if (Units.Find(code) is { } unit)
        {
            return unit;
        }

        var meant = Units.Meant(code);
        problems.Error(section.At(key), $"the unit '{code}' is not in the table", meant is null ? "Use a UCUM code from the unit table in docs/profiles.md" : $"Did you mean '{meant}'? Units are UCUM codes, listed in docs/profiles.md");
        return null;
    }

    private Role? Role(Section section, Unit? unit)
    {
        if (section.Text("role") is not { } name)
        {
            return null;
        }

        if (Roles.Find(name) is not { } role)
        {
            var meant = Roles.Meant(name);
            problems.Error(section.At("role"), $"the role '{name}' is not in the list", meant is null ? "Use a role from the list in docs/profiles.md" : $"Did you mean '{meant}'? Roles are listed in docs/profiles.md");
            return null;
        }

        if (unit is not null && !role.Dimensions.Contains(unit.Dimension))
        {
            var fitting = string.Join(", ", Units.All.Where(u => role.Dimensions.Contains(u.Dimension)).Select(u => u.Code));
            problems.Error(section.At("unit"), $"the role {name} cannot have the unit '{unit.Code}' ({unit.Name})", $"Correct the role or the unit; units of this role: {fitting}");
        }

        return role;
    }

    private TimeSpan Period(Section section)
    {
        var name = section.Text("poll") ?? defaults.Text("poll") ?? "normal";
        if (name == "once")
        {
            return TimeSpan.Zero;
        }

        var period = poll.Duration(name) ?? TimeSpan.FromSeconds(10);
        if (period < TimeSpan.FromMilliseconds(50))
        {
            problems.Error(poll.At(name), $"the poll class {name} has a period of {period.TotalMilliseconds} ms", "Write 50ms or more");
        }

        return period;
    }

    private void CheckPlausible(Section section, Section plausible, decimal? min, decimal? max, RegisterEncoding encoding)
    {
        if (min >= max)
        {
            problems.Error(plausible.At("min"), $"the plausible range from {min} to {max} is empty", "Write a minimum below the maximum");
        }

        // What a scale register holds is known only to the device.
        if (encoding.Type is RegisterType.Float32 or RegisterType.Float64 or RegisterType.DateTime or RegisterType.Text || encoding.ScaleAt is not null || !plausible.IsPresent)
        {
            return;
        }

        var (low, high) = Expressible(encoding);
        if (min < low || max > high)
        {
            problems.Error(section.At("plausible"), $"a {TypeName(encoding)} with scale {encoding.Scale} only expresses {low} to {high}, the plausible range goes beyond it", "Correct type, scale or range");
        }
    }

    private static (decimal Low, decimal High) Expressible(RegisterEncoding encoding)
    {
        var bits = encoding.RawBits;
        var signed = encoding.Type is RegisterType.Int16 or RegisterType.Int32 or RegisterType.Int64;
        var low = signed ? -((Int128)1 << (bits - 1)) : 0;
        var high = ((Int128)1 << (signed ? bits - 1 : bits)) - 1;
        if (encoding.Type is RegisterType.Bcd16 or RegisterType.Bcd32 or RegisterType.Bcd64 or RegisterType.Mod10)
        {
            high = (Int128)Math.Pow(10, 4 * encoding.Length) - 1;
            low = encoding.Type == RegisterType.Mod10 ? -high : 0;
        }
        else if (encoding.Type == RegisterType.Float16)
        {
            (low, high) = ((Int128)(double)Half.MinValue, (Int128)(double)Half.MaxValue);
        }

        var (a, b) = (((decimal)low * encoding.Scale) + encoding.Offset, ((decimal)high * encoding.Scale) + encoding.Offset);
        return a < b ? (a, b) : (b, a);
    }

    private CounterModel? Counter(Section section, Role role, Unit unit, RegisterEncoding encoding)
    {
        var counter = section.Block("counter", ProfileShape.Counter);
        if (counter.IsPresent != (role.Kind == PointKind.Counter))
        {
            problems.Error(
                counter.IsPresent ? counter.Place : section.Place,
                counter.IsPresent ? $"the role {role.Name} is not a counter, but 'counter' is declared" : $"the role {role.Name} is a counter, but 'counter' is missing",
                counter.IsPresent ? "Remove 'counter', or correct the role" : "Add 'counter: { rolloverAt: ..., resets: ... }'");
        }

        if (!counter.IsPresent)
        {
            return null;
        }

        decimal? rollover = null;
        var text = counter.Text("rolloverAt");
        if (text == "width")
        {
            if (encoding.ScaleAt is not null)
            {
                problems.Error(counter.At("rolloverAt"), "where the register rolls over depends on its scale register, which the file does not know", "Write the value from the manual, or 'none'");
            }
            else if (!encoding.IsStepped || encoding.Type is RegisterType.Bit or RegisterType.DateTime or RegisterType.Text)
            {
                problems.Error(counter.At("rolloverAt"), "the width of a float says nothing about where a counter rolls over", "Write the value from the manual, or 'none'");
            }
            else
            {
                var (_, high) = Expressible(encoding with { Offset = 0 });
                rollover = high + Math.Abs(encoding.Scale) + encoding.Offset;
            }
        }
        else if (text is not "none" && counter.Number("rolloverAt") is { } value)
        {
            rollover = value;
            if (value <= 0)
            {
                problems.Error(counter.At("rolloverAt"), "a counter rolls over at a positive value", "Write the first value that is never shown, in the point's unit");
            }
        }

        decimal? rate = null;
        var maxRate = counter.Block("maxRate", ProfileShape.Rate);
        if (maxRate.IsPresent && Unit(maxRate, "unit") is { } rateUnit && maxRate.Number("value") is { } number)
        {
            rate = Units.RatePerSecond(number, rateUnit, unit);
            if (rate is null)
            {
                problems.Error(maxRate.At("unit"), $"'{rateUnit.Code}' is not a rate of '{unit.Code}'", "Use a power for an energy, a mass flow for a mass, a volume flow for a volume");
            }
        }

        return new(rollover, counter.Text("resets") == "user", rate);
    }

    private DetectorModel[] Detectors(Section section)
    {
        var detectors = new List<DetectorModel>();
        if (DetectorSettings.Limit(section.Block("alarm", ProfileShape.Alarm), null, problems) is { } limit)
        {
            detectors.Add(limit);
        }

        var anomaly = section.Block("anomaly", ProfileShape.Anomaly);
        if (anomaly.Duration("stuckFor") is { } stuckFor)
        {
            detectors.Add(DetectorSettings.Stuck(stuckFor, anomaly.Number("stuckTolerance"), anomaly.Number("stuckIdle")));
        }
        else if (anomaly.Has("stuckTolerance") || anomaly.Has("stuckIdle"))
        {
            problems.Error(anomaly.Place, "'stuckTolerance' and 'stuckIdle' belong to 'stuckFor', which is missing", "Add 'stuckFor:' with the time without change");
        }

        if (anomaly.Text("method") is not null)
        {
            detectors.Add(DetectorSettings.Spike(anomaly.Text("sensitivity") ?? "medium"));
        }

        return [.. detectors];
    }

    private CarbonModel? Carbon(Section section, Role role)
    {
        var carbon = section.Block("carbon", ProfileShape.Carbon);
        if (!carbon.IsPresent || carbon.Text("role") is not { } method)
        {
            return null;
        }

        var right = method == "electricity_purchased" ? "electricity.energy.active.import" : "electricity.energy.active.export";
        if (role.Name != right)
        {
            problems.Error(carbon.At("role"), $"{method} needs a point with the role {right}, not {role.Name}", "Move 'carbon' to the right register");
        }

        return new(method.Replace('_', '-'), carbon.Text("scope") switch { "1" => 1, "2" => 2, _ => 0 });
    }

    private Dictionary<long, string>? Symbols(Section section, RegisterEncoding encoding)
    {
        if (section.Node("enum") is not YamlMap map)
        {
            return null;
        }

        var symbols = new Dictionary<long, string>();
        foreach (var (key, value) in map.Entries)
        {
            if (Raw(key, encoding) is { } raw && value is YamlScalar name && !symbols.TryAdd(unchecked((long)raw), name.Text))
            {
                problems.Error(key, $"the raw value {key.Text} has two names", "Keep one");
            }
        }

        return symbols;
    }

    private static string? Title(Section section, string language) => section.Block("title", ProfileShape.Title).Text(language);

    // One detector for each bit: bits come and go by themselves.
    private static IEnumerable<DetectorModel> FlagDetectors(Section section, List<ProfileFlag> alarms)
    {
        var map = (YamlMap?)section.Node("flags");
        foreach (var alarm in alarms)
        {
            var entry = map!.Entries.First(e => Quantities.TryInteger(e.Key.Text, out var bit) && bit == alarm.Bit);
            var flag = new Section(entry.Value as YamlMap, ProfileShape.Flag, entry.Value);
            yield return DetectorSettings.Flag(alarm, flag.Text("when") == "0", flag.Duration("holdFor") ?? TimeSpan.Zero);
        }
    }

    private Dictionary<int, string>? Flags(Section section, RegisterEncoding encoding, Role role, List<ProfileFlag> alarms)
    {
        if (section.Node("flags") is not YamlMap map)
        {
            return null;
        }

        if (section.Has("enum"))
        {
            problems.Error(map, "a status has either 'enum' (names of values) or 'flags' (names of bits)", "Keep one; a value inside a status word is a point of its own with 'bits'");
        }

        if (role.Kind != PointKind.State || encoding.Type is not (RegisterType.UInt16 or RegisterType.UInt32 or RegisterType.UInt64 or RegisterType.Bit) || encoding.ScaleAt is not null)
        {
            problems.Error(map, "'flags' names the bits of a status word: an unsigned integer or a bit whose role is a state", "Correct the type or the role, or remove 'flags'");
        }

        var flags = new Dictionary<int, string>();
        foreach (var (key, value) in map.Entries)
        {
            var block = new Section(value as YamlMap, ProfileShape.Flag, value);
            if (!Quantities.TryInteger(key.Text, out var bit) || ((value as YamlScalar)?.Text ?? block.Text("name")) is not { } name)
            {
                continue;
            }

            if (bit >= encoding.RawBits)
            {
                problems.Error(key, $"the flag {bit} is outside the {encoding.RawBits} bits of the point", "Bits count from 0, the least significant, within the point");
            }
            else if (!flags.TryAdd((int)bit, name))
            {
                problems.Error(key, $"the flag {bit} has two names", "Keep one");
            }
            else if (block.Text("severity") is { } severity)
            {
                alarms.Add(new((int)bit, name, severity == "alarm", Title(block, "en") ?? name, Title(block, "zh")));
            }
            else if (block.Has("holdFor") || block.Has("when"))
            {
                problems.Error(value, $"the flag '{name}' has no 'severity', so nothing is found by it", "Add 'severity: warning' or 'alarm', or write only the name");
            }
        }

        return flags;
    }

    private static (int First, int Last)? BitsOf(RegisterEncoding encoding) =>
        encoding.Type == RegisterType.Bit ? (encoding.Bit, encoding.Bit)
        : encoding.BitCount > 0 ? (encoding.Bit, encoding.Bit + encoding.BitCount - 1)
        : null;

    private static bool IsPowerOfTen(decimal scale)
    {
        scale = Math.Abs(scale);
        while (scale < 1)
        {
            scale *= 10;
        }

        while (scale >= 10)
        {
            scale /= 10;
        }

        return scale == 1;
    }

    private static string TypeName(RegisterEncoding encoding) => encoding.Type.ToString().ToLowerInvariant();

    internal static RegisterTable TableOf(string? table) => table switch
    {
        "holding" or null => RegisterTable.HoldingRegister,
        "input" => RegisterTable.InputRegister,
        "coil" => RegisterTable.Coil,
        _ => RegisterTable.DiscreteInput,
    };
}
