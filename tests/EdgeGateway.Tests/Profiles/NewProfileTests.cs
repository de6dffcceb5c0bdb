using EdgeGateway.Commands.Profiles;
using EdgeGateway.Setup;

namespace EdgeGateway.Tests.Profiles;

/// <summary>The dialogue of <c>profile new</c>: answered in full it ends in a profile, answered in part in a file that says what remains.</summary>
public sealed class NewProfileTests : IDisposable
{
    private static readonly (string Question, string Answer)[] Device =
    [
        ("Kind of device", "energy-meter"), ("Maker", "Maker: \"M\""), ("Model", "M100"), ("Identifier", "maker-m100"), ("Name for people", "Meter M100"), ("Title of the register list", "M100 registers, rev. 2"),
        ("Its edition", "2024-03"), ("Its pages", "12-14"), ("Table", "holding"), ("Which word", "high-first"), ("Number that the manual prints", "40001"), ("Most registers", "60"),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-new-").FullName;

    private string File => Path.Combine(_folder, "energy-meter", "maker-m100.yaml");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_dialogue_that_is_answered_in_full_ends_in_a_checked_profile()
    {
        var person = new Person(
        [
            .. Device,
            ("Point", "Voltage L1"), ("Role", "electricity.voltage.l1_n"), ("Number printed", "40001"), ("Type", "uint32"), ("Unit", "V"), ("Factor", "0.1"),
            ("Point", "Energy"), ("Role", "active.import"), ("Which", "electricity.energy.active.import"), ("Number printed", "40003"), ("Type", "uint32"), ("Unit", "kWh"), ("Factor", ""),
            ("First value that it never shows", "width"), ("Who can set it", "nobody: only a new device begins at zero"),
            ("Point", "Serial"), ("Role", "device.serial_number"), ("Number printed", "40011"), ("Type", "text"), ("How many registers", "8"),
            ("Point", ""), ("Of which point", "voltage_l1"), ("Its registers", "0, 0x0905"), ("What they mean", "230.9"),
            ("Which point tells", "voltage_l1"), ("Smallest value", "80"), ("Largest value", "300"),
        ]);
        Assert.Equal((0, 0), (Run(person), person.Left));

        var (profile, problems) = ProfileCommand.Load(File, _folder);
        Assert.Empty(problems);
        Assert.Equal(("maker-m100", "Maker: \"M\"", 60), (profile!.Id, profile.Vendor, profile.MaxRegistersPerRead));
        Assert.Equal(["voltage_l1", "energy", "serial"], profile.Points.Select(p => p.Id));
        Assert.Equal([0, 2, 10], profile.Points.Select(p => (int)p.Encoding.Address));
        Assert.Equal(("kW.h", 230.9), (profile.Points[1].Unit, Assert.Single(profile.SelfTests).Value!.Value));
        Assert.Equal((80.0, 300.0), (profile.Identify[0].Min, profile.Identify[0].Max));
    }

    [Fact]
    public void A_meter_with_a_frequency_is_told_by_it_and_addresses_are_asked_for_where_no_number_is_printed()
    {
        var person = new Person(
        [
            .. Device.Select(d => d.Question == "Number that the manual prints" ? (d.Question, "") : d),
            ("Point", "f"), ("Role", "electricity.frequency"), ("Wire address", "70"), ("Type", "float32"), ("Unit", "Hz"), ("Factor", ""),
            ("Point", ""), ("Of which point", "f"), ("Its registers", "0x4248 0"), ("What they mean", "50"),
        ]);
        Assert.Equal((0, 0), (Run(person), person.Left));
        Assert.Equal(70, Assert.Single(ProfileCommand.Load(File, _folder).Profile!.Points).Encoding.Address);
    }

    [Fact]
    public void What_was_not_answered_stays_a_blank_that_the_check_lists()
    {
        var person = new Person(
        [
            .. Device,
            ("Point", "f"), ("Role", "electricity.frequency"), ("Number printed", ""), ("Type", "not known"), ("Unit", ""), ("Factor", ""),
            ("Point", ""), ("Of which point", "f"), ("Its registers", ""), ("What they mean", ""),
        ]);
        Assert.Equal((2, 0), (Run(person), person.Left));
        var (profile, problems) = ProfileCommand.Load(File, _folder);
        Assert.Null(profile);
        Assert.All(problems, p => Assert.StartsWith("fill in: ", p.What, StringComparison.Ordinal));
        Assert.Contains(problems, p => p.What.Contains("'type' of the point 'f'", StringComparison.Ordinal));
    }

    [Fact]
    public void An_answer_that_cannot_be_is_refused_at_once()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, "");
        (string Question, string Wrong)[] wrong =
        [
            ("Identifier", "a b"), ("Identifier", "maker-m100"), ("Number that the manual prints", "four"), ("Most registers", "126"), ("Number printed", "-1"), ("Unit", "furlong"), ("Factor", "a tenth"), ("Its registers", "1, 70000"),
        ];
        foreach (var (question, answer) in wrong)
        {
            var person = new Person(
            [
                .. Device.Select(d => d.Question == "Identifier" ? (d.Question, "other") : d),
                ("Point", "f"), ("Role", "electricity.frequency"), ("Number printed", "40071"), ("Type", "float32"), ("Unit", "Hz"), ("Factor", ""),
                ("Point", ""), ("Of which point", "f"), ("Its registers", "0x4248 0"), ("What they mean", "50"),
            ])
            { Wrong = (question, answer) };
            Assert.Equal(0, Run(person));
            Assert.True(person.WasRefused, $"{question}: {answer}");
            System.IO.File.Delete(Path.Combine(_folder, "energy-meter", "other.yaml"));
        }
    }

    [Fact]
    public void A_variant_without_points_of_its_own_needs_no_example()
    {
        Run(new Person(
        [
            .. Device,
            ("Point", "f"), ("Role", "electricity.frequency"), ("Number printed", "40071"), ("Type", "float32"), ("Unit", "Hz"), ("Factor", ""),
            ("Point", ""), ("Of which point", "f"), ("Its registers", "0x4248 0"), ("What they mean", "50"),
        ]));
        var draft = new ProfileDraft { Id = "maker-m101", Extends = "maker-m100", Kind = "energy-meter", Model = "M101", Title = "Meter M101", SourceRef = "M101 registers", Edition = "2024", Page = "1" };
        Assert.Equal(0, NewProfile.Run(draft, Numbers(), [], _folder, null));
    }

    private static Dictionary<string, string?> Numbers() => new() { ["--printed-base"] = null, ["--max-registers"] = null };

    private int Run(Person person) => NewProfile.Run(new ProfileDraft(), Numbers(), [], _folder, person);

    /// <summary>Answers the questions in their order.</summary>
    private sealed class Person(IReadOnlyList<(string Question, string Answer)> answers) : ISetupDialog
    {
        private int _next;

        public (string Question, string Answer)? Wrong { get; init; }

        public bool WasRefused { get; private set; }

        public int Left => answers.Count - _next;

        public string Text(string question, string option, string? preset, Func<string, string?> problem)
        {
            var answer = Next(question);
            if (Wrong is { } wrong && question.Trim().StartsWith(wrong.Question, StringComparison.Ordinal))
            {
                WasRefused |= problem(wrong.Answer) is not null;
            }

            Assert.True(problem(answer) is null, $"{question} {answer}: {problem(answer)}");
            return answer;
        }

        public bool Confirm(string question, bool preset) => throw new InvalidOperationException(question);

        public T Choose<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
            where T : notnull
        {
            var answer = Next(question);
            return choices.First(c => words(c) == answer);
        }

        public IReadOnlyList<T> ChooseSeveral<T>(string question, IReadOnlyList<T> choices, Func<T, string> words)
            where T : notnull => throw new InvalidOperationException(question);

        private string Next(string question)
        {
            Assert.True(_next < answers.Count, $"nobody answers '{question}'");
            Assert.StartsWith(answers[_next].Question, question.Trim(), StringComparison.Ordinal);
            return answers[_next++].Answer;
        }
    }
}
