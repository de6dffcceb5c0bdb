using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Detection.Rules;

/// <summary>What a rule computes from its inputs; NaN when it does not apply now, which ends a finding.</summary>
internal delegate double Measure(in RuleView inputs);

/// <summary>A rule of the trade: which points it reads, what it computes from them, its limits, and its words. A row of <see cref="RuleTable"/>.</summary>
/// <param name="Name">Name in profiles, in <c>gateway.yaml</c> and in records.</param>
/// <param name="Words">What a technician reads.</param>
internal sealed record Rule(string Name, RuleWords Words)
{
    /// <summary>The points; the first is watched, each of its samples is judged, and the others are taken as they were last.</summary>
    public required IReadOnlyList<RuleInput> Inputs { get; init; }

    /// <summary>The number that is held against the limits; not used by rules that <see cref="Create"/> makes in another way.</summary>
    public Measure Measure { get; init; } = static (in RuleView x) => x[0];

    /// <summary>Where a warning begins, in the unit of the words; NaN: no warning stage.</summary>
    public double Warn { get; init; } = double.NaN;

    /// <summary>Where the alarm begins; NaN: no alarm stage.</summary>
    public double Alarm { get; init; } = double.NaN;

    /// <summary>True when what lies below the limits is wrong.</summary>
    public bool Below { get; init; }

    /// <summary>How far the number must come back before a stage ends.</summary>
    public double Hysteresis { get; init; }

    public double WarnSeconds { get; init; }

    public double AlarmSeconds { get; init; }

    public double OffSeconds { get; init; } = 5;

    /// <summary>Time constant of the quick means, from which rates are taken too, in seconds.</summary>
    public double QuickSeconds { get; init; } = 10;

    /// <summary>Time constant of the slow means, in seconds.</summary>
    public double SlowSeconds { get; init; } = 600;

    /// <summary>Time that must have been seen before anything is judged, in seconds.</summary>
    public double LearnSeconds { get; init; }

    /// <summary>When it is judged; null: always.</summary>
    public RuleGate? Gate { get; init; }

    /// <summary>True when means stand still while a finding stands: what it is held against must not follow the fault.</summary>
    public bool Freezes { get; init; }

    /// <summary>What the number is held against besides the limits.</summary>
    public RuleReference Reference { get; init; }

    /// <summary>What a rated value stands for; none: the rule knows none.</summary>
    public RuleRating Rating { get; init; }

    /// <summary>The input in whose unit the rated value is stated.</summary>
    public int RatedInput { get; init; }

    /// <summary>Kinds of device on which the rule works by itself; empty: it must be asked for.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = [];

    /// <summary>Whether a device of these kinds has the rule; null: it has.</summary>
    public Func<DeviceModel, bool>? Applies { get; init; }

    /// <summary>Whether a point with a detector <c>limit</c> of its own goes without: its site or its maker has said the limits.</summary>
    public bool YieldsToLimit { get; init; }

    /// <summary>Layout of its state: one more with each change, so that a state of another program is not misread.</summary>
    public int Layout { get; init; }

    /// <summary>Makes its detector.</summary>
    public Func<Rule, DetectorContext, IDetector> Create { get; init; } = static (rule, context) => new RuleDetector(rule, context);

    /// <summary>Keys of its numbers.</summary>
    public IReadOnlyList<string> Settings { get; init; } = CommonSettings;

    /// <summary>Numbers of every rule that holds a computed number against limits.</summary>
    public static readonly IReadOnlyList<string> CommonSettings =
        ["warn", "alarm", "hysteresis", "warnSeconds", "alarmSeconds", "offDelaySeconds", "quickSeconds", "slowSeconds", "learnSeconds", "rated", "nominal"];
}

/// <summary>A point that a rule reads.</summary>
/// <param name="Key">Its name in the rule, and in the configuration.</param>
/// <param name="Roles">Roles by which it is found, the best first; of a role with channels each channel is one.</param>
internal sealed record RuleInput(string Key, params IReadOnlyList<string> Roles)
{
    /// <summary>What its unit must measure; null: anything.</summary>
    public Dimension? Dimension { get; init; }

    /// <summary>The rule works without it too.</summary>
    public bool IsOptional { get; init; }

    /// <summary>All points of the device (of the area, where the device has none) with these roles; keys are numbered from 1, the watched point is the first of the first input.</summary>
    public bool IsMany { get; init; }

    /// <summary>The points of all devices behind the watched one in the metering tree; keys are numbered from 1.</summary>
    public bool IsOfChildren { get; init; }

    /// <summary>A point of the meter above the watched one in the metering tree; not looked for on the device itself.</summary>
    public bool IsOfParent { get; init; }

    /// <summary>Whether there may be several points of it.</summary>
    public bool IsNumbered => IsMany || IsOfChildren;

    /// <summary>Taken as its square: heating goes with it.</summary>
    public bool IsSquared { get; init; }
}

/// <summary>A rule is judged while an input is above a share of the largest value it had, and has been so for some time: a start is over, means are of running only.</summary>
internal sealed record RuleGate(int Input, double Share, double Seconds);

/// <summary>What the number of a rule is held against besides fixed limits.</summary>
internal enum RuleReference : byte
{
    /// <summary>Nothing: the limits are meant as they stand.</summary>
    None,

    /// <summary>Its own mean of long, or <c>nominal</c>: the number is then the difference in percent of it, without its sign.</summary>
    OwnMean,

    /// <summary>A straight line from the second input to the first, learned: the number is the residual in percent of what the line says, without its sign.</summary>
    Line,
}

/// <summary>What stands for the rated value of a rule's inputs.</summary>
internal enum RuleRating : byte
{
    None,

    /// <summary>The setting <c>rated</c>, else the largest value that was seen.</summary>
    Largest,

    /// <summary>The setting <c>rated</c>, else the device's rated power, else the largest value that was seen.</summary>
    PowerOrLargest,

    /// <summary>The setting <c>rated</c>, else the device's rated power; without either the rule does not work.</summary>
    Power,

    /// <summary>The setting <c>rated</c>; without it the rule does not work.</summary>
    Stated,
}

/// <summary>The words of a rule, apart from the numbers: data that a table in another language replaces.</summary>
/// <param name="Title">What was found.</param>
/// <param name="Quantity">What the number is.</param>
/// <param name="Unit">Its unit; empty for none.</param>
/// <param name="Likely">Likely causes, the likeliest first.</param>
/// <param name="Step">What a technician does next.</param>
internal sealed record RuleWords(string Title, string Quantity, string Unit, string Likely, string Step);
