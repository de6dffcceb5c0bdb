using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Profiles;

/// <summary>Runs the self-tests of a profile: the words of each must decode to what it states.</summary>
internal static class SelfTests
{
    public static IReadOnlyList<SelfTest> Run(Section root, List<ProfilePoint> points, HashSet<string> declared, ProblemCollector problems)
    {
        var tests = new List<SelfTest>();
        foreach (var entry in root.List("selfTest").OfType<YamlMap>())
        {
            var section = new Section(entry, ProfileShape.SelfTest, entry);
            if (section.Text("point") is not { } id || section.Scalars("words") is not { Count: > 0 } scalars)
            {
                continue;
            }

            if (points.Find(p => p.Id == id) is not { } point)
            {
                if (declared.Contains(id))
                {
                    continue; // The point has an error of its own.
                }

                problems.Error(section.At("point"), $"the self-test names the point '{id}', which the profile does not have", $"{Spelling.Hint(id, points.Select(p => p.Id))}Name a point of this file, phases expanded (voltage_l1_n)");
                continue;
            }

            var isText = point.Kind == Site.PointKind.Text;
            if (isText != section.Has("text") && (isText || section.Has("text")))
            {
                problems.Error(entry, isText ? $"the self-test of the text '{id}' states no 'text'" : $"'{id}' is no text", isText ? "Write 'text:' with what the words read" : "Write 'value:'");
                continue;
            }

            if (!isText && section.Has("value") == section.Has("quality"))
            {
                problems.Error(entry, "a self-test states either 'value' or 'quality'", "Write the value that the words mean, or 'quality: invalid' when they mean that there is none");
                continue;
            }

            if (section.Has("scale") != point.Encoding.ScaleAt is not null)
            {
                problems.Error(entry, section.Has("scale") ? $"'{id}' has no scale register" : $"'{id}' has a scale register, and the self-test does not say what it holds", section.Has("scale") ? "Remove 'scale'" : "Add 'scale:' with the power of ten, such as -1");
                continue;
            }

            var words = new List<ushort>();
            foreach (var scalar in scalars)
            {
                if (Quantities.TryInteger(scalar.Text, out var word) && word >= 0 && word <= ushort.MaxValue)
                {
                    words.Add((ushort)word);
                }
            }

            if (words.Count != scalars.Count)
            {
                continue; // Reported by the shape.
            }

            if (words.Count != point.Encoding.Length)
            {
                problems.Error(section.At("words"), $"the self-test has {words.Count} words, a {point.Encoding.Type.ToString().ToLowerInvariant()} occupies {point.Encoding.Length}", "Write as many words as the type has registers");
                continue;
            }

            if (isText)
            {
                var text = RegisterText.Decode(point.Encoding, words.ToArray());
                if (text != section.Text("text"))
                {
                    problems.Error(entry, $"the self-test of {id} fails: the words read \"{text}\"", "Correct length, byte order or encoding of the point, or the self-test");
                }

                tests.Add(new(id, words, null, DecodeStatus.Ok));
                continue;
            }

            var image = Image(point.Encoding, words, section.Integer("scale") ?? 0);
            var status = RegisterCodec.Decode(point.Encoding, image, out var value, out _);
            var expectedStatus = section.Text("quality") switch
            {
                "invalid" => DecodeStatus.Invalid,
                "not-a-number" => DecodeStatus.NotANumber,
                "bad-digits" => DecodeStatus.BadDigits,
                "bad-date" => DecodeStatus.BadDate,
                "bad-scale" => DecodeStatus.BadScale,
                _ => DecodeStatus.Ok,
            };
            var expected = section.Number("value");
            if (status != expectedStatus)
            {
                problems.Error(entry, $"the self-test of {id} fails: the words mean {Meaning(status, value)}, not {Meaning(expectedStatus, (double?)expected ?? double.NaN)}", "Correct the encoding of the point, or the self-test");
                continue;
            }

            // Floats of 32 bits are written by people with the digits that matter.
            var tolerance = point.Encoding.Type == RegisterType.Float16 ? 1e-3 * Math.Abs(value) : point.Encoding.Type == RegisterType.Float32 ? 1e-6 * Math.Abs(value) : 1e-12 * Math.Abs(value);
            if (status == DecodeStatus.Ok && expected is { } number && Math.Abs(value - (double)number) > tolerance)
            {
                problems.Error(entry, $"the self-test of {id} fails: the words mean {value} {point.Unit}, not {number} {point.Unit}", "Correct type, word order, scale or sign of the point, or the self-test");
                continue;
            }

            tests.Add(new(id, image, status == DecodeStatus.Ok ? value : null, status));
        }

        return tests;
    }

    /// <summary>The words of the point's span: the value's, and the scale register's.</summary>
    private static ushort[] Image(RegisterEncoding encoding, List<ushort> words, int scale)
    {
        var span = encoding.Span;
        var image = new ushort[span.Length];
        words.CopyTo(image, encoding.Address - span.First);
        if (encoding.ScaleAt is { } at)
        {
            var word = unchecked((ushort)scale);
            image[at - span.First] = encoding.ByteOrder == ByteOrder.Big ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word);
        }

        return image;
    }

    private static string Meaning(DecodeStatus status, double value) => status switch
    {
        DecodeStatus.Invalid => "'not available'",
        DecodeStatus.NotANumber => "a float that is no number",
        DecodeStatus.BadDigits => "digits that are not decimal",
        DecodeStatus.BadDate => "no date",
        DecodeStatus.BadScale => "a scale register without a power of ten",
        _ => $"{value}",
    };
}
