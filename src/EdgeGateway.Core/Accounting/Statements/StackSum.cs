using EdgeGateway.Core.Cems;
using EdgeGateway.Core.Feed;

namespace EdgeGateway.Core.Accounting.Statements;

/// <summary>Hours of a quantity, by a word.</summary>
/// <param name="Word">A flag of HJ 212-2017 table 8, or a rule of substitution.</param>
/// <param name="Hours">Hours.</param>
public sealed record StackHours(string Word, int Hours);

/// <summary>What the hours of a stack say of one gas, its flow or its moisture.</summary>
/// <param name="Name">The gas, <c>flow</c> or <c>moisture</c>.</param>
/// <param name="ValidHours">Hours that were measured and count.</param>
/// <param name="Flags">Hours that do not, by the flag that most of their invalid points had.</param>
/// <param name="Rules">Hours in which a rule decided, by the rule; <c>NOT-COVERED</c>: nothing stands in.</param>
/// <param name="AvailabilityPercent">Availability as the last hour has it, percent; null where it is not known.</param>
/// <param name="Kilograms">Mass of the hours of which it is known, kg; null where none is.</param>
/// <param name="WithoutMass">Hours in which others of it have a mass and these have none.</param>
public sealed record StatementStackQuantity(
    string Name, int ValidHours, IReadOnlyList<StackHours> Flags, IReadOnlyList<StackHours> Rules, decimal? AvailabilityPercent, decimal? Kilograms, int WithoutMass);

/// <summary>A stack over the period: what was measured, why the rest was not, and what stands in for it.</summary>
/// <param name="Device">Device id.</param>
/// <param name="Name">Its name for people.</param>
/// <param name="Method">Its account, which names the rules.</param>
/// <param name="Hours">Hours of operation, and parts of them, that are final.</param>
/// <param name="OperatingHours">Time of operation in them, h.</param>
/// <param name="Quantities">Gases, flow and moisture.</param>
public sealed record StatementStack(string Device, string Name, string Method, int Hours, decimal OperatingHours, IReadOnlyList<StatementStackQuantity> Quantities);

/// <summary>Adds the hours of one stack.</summary>
internal sealed class StackSum
{
    private readonly List<QuantitySum> _quantities = [];
    private int _hours;
    private decimal _operating;

    public void Add(StackHour hour)
    {
        _hours++;
        _operating += hour.OperatingTime;
        foreach (var quantity in hour.Quantities)
        {
            if (_quantities.Find(q => q.Name == quantity.Name) is not { } sum)
            {
                _quantities.Add(sum = new(quantity.Name));
            }

            sum.Add(quantity);
        }
    }

    public StatementStack State(string device, string name, string method) => new(device, name, method, _hours, _operating, [.. _quantities.Select(q => q.State())]);

    private sealed class QuantitySum(string name)
    {
        private readonly SortedDictionary<string, int> _flags = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, int> _rules = new(StringComparer.Ordinal);
        private int _hours;
        private int _valid;
        private int _weighed;
        private decimal _kilograms;
        private decimal? _availability;

        public string Name => name;

        public void Add(StackQuantity quantity)
        {
            _hours++;
            if (quantity.IsValid)
            {
                _valid++;
            }
            else
            {
                var flag = quantity.Flag.Letter().ToString();
                _flags[flag] = _flags.GetValueOrDefault(flag) + 1;
            }

            if (quantity.Rule is { } rule)
            {
                _rules[rule] = _rules.GetValueOrDefault(rule) + 1;
            }

            if (quantity.Kilograms is { } kilograms)
            {
                _weighed++;
                _kilograms += kilograms;
            }

            _availability = quantity.AvailabilityPercent ?? _availability;
        }

        public StatementStackQuantity State() => new(name, _valid, By(_flags), By(_rules), _availability, _weighed > 0 ? _kilograms : null, _weighed > 0 ? _hours - _weighed : 0);

        private static List<StackHours> By(SortedDictionary<string, int> hours) => [.. hours.Select(h => new StackHours(h.Key, h.Value))];
    }
}
