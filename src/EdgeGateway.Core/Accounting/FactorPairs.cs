using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Accounting;

/// <summary>How often the hours of two devices are refused together: a fuel or a plant that both share has changed, or they have nothing in common.</summary>
/// <param name="Device">Id of one device.</param>
/// <param name="Other">Id of the other one.</param>
/// <param name="Hours">Hours in which both were judged.</param>
/// <param name="Refused">Of these, hours in which the first one was refused.</param>
/// <param name="OtherRefused">Hours in which the other one was.</param>
/// <param name="Together">Hours in which both were.</param>
public sealed record FactorPair(string Device, string Other, int Hours, int Refused, int OtherRefused, int Together)
{
    /// <summary>Fewest hours with a refusal of either from which anything is concluded.</summary>
    public const int LeastEvents = 30;

    /// <summary>Lift of the rule "one is refused, so is the other": 1 when they have nothing to do with each other, more when they go together; null while there are fewer than <see cref="LeastEvents"/> hours with a refusal, or one of the two was never refused.</summary>
    public double? Lift => Refused + OtherRefused - Together < LeastEvents || Refused == 0 || OtherRefused == 0 ? null : (double)Together * Hours / ((double)Refused * OtherRefused);
}

/// <summary>Counts, for each two accounts whose factors follow a stack, the hours in which both were judged and refused (association rules; Chen et al. 2021, section 3.1).</summary>
internal sealed class FactorPairs
{
    private readonly CarbonAccount[] _accounts;
    private readonly bool?[] _refused;
    private readonly bool[] _dropped;
    private readonly int[,] _both;
    private readonly int[,] _one;
    private readonly int[,] _together;

    public FactorPairs(IEnumerable<CarbonAccount> accounts)
    {
        _accounts = [.. accounts];
        var n = _accounts.Length;
        (_refused, _dropped, _both, _one, _together) = (new bool?[n], new bool[n], new int[n, n], new int[n, n], new int[n, n]);
    }

    /// <summary>True when anything was counted.</summary>
    public bool HasAny => _both.Cast<int>().Any(hours => hours > 0);

    /// <summary>The pairs that were judged in the same hour at least once, by their devices.</summary>
    public IReadOnlyList<FactorPair> Pairs()
    {
        DropForgotten();
        var pairs = new List<FactorPair>();
        for (var a = 0; a < _accounts.Length; a++)
        {
            for (var b = a + 1; b < _accounts.Length; b++)
            {
                if (_both[a, b] > 0)
                {
                    pairs.Add(new(_accounts[a].Device.Id, _accounts[b].Device.Id, _both[a, b], _one[a, b], _one[b, a], _together[a, b]));
                }
            }
        }

        return pairs;
    }

    /// <summary>Takes the hours that ended with the interval that was just closed.</summary>
    public void Count()
    {
        if (_accounts.Length < 2)
        {
            return;
        }

        DropForgotten();
        for (var i = 0; i < _accounts.Length; i++)
        {
            _refused[i] = _accounts[i].Follower!.TakeJudged();
        }

        for (var a = 0; a < _accounts.Length; a++)
        {
            for (var b = a + 1; b < _accounts.Length; b++)
            {
                if (_refused[a] is { } one && _refused[b] is { } other)
                {
                    _both[a, b]++;
                    _one[a, b] += one ? 1 : 0;
                    _one[b, a] += other ? 1 : 0;
                    _together[a, b] += one && other ? 1 : 0;
                }
            }
        }
    }

    public void Save(StateWriter writer)
    {
        DropForgotten();
        var pairs = Enumerable.Range(0, _accounts.Length).SelectMany(a => Enumerable.Range(a + 1, _accounts.Length - a - 1).Select(b => (A: a, B: b))).Where(p => _both[p.A, p.B] > 0).ToList();
        writer.Write(pairs.Count);
        foreach (var (a, b) in pairs)
        {
            writer.Write(_accounts[a].Key);
            writer.Write(_accounts[b].Key);
            writer.Write(_both[a, b]);
            writer.Write(_one[a, b]);
            writer.Write(_one[b, a]);
            writer.Write(_together[a, b]);
        }
    }

    /// <summary>Reads what <see cref="Save"/> wrote; pairs with an account that is gone are passed over.</summary>
    public void Load(ref StateReader reader)
    {
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var (first, second) = (reader.ReadString(), reader.ReadString());
            var (hours, refused, otherRefused, together) = (reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32());
            var (a, b) = (Array.FindIndex(_accounts, x => x.Key == first), Array.FindIndex(_accounts, x => x.Key == second));
            if (a >= 0 && b >= 0)
            {
                // The configuration may name the devices in another order now.
                (_both[Math.Min(a, b), Math.Max(a, b)], _together[Math.Min(a, b), Math.Max(a, b)]) = (hours, together);
                (_one[a, b], _one[b, a]) = (refused, otherRefused);
            }
        }
    }

    /// <summary>What was counted with a factor that is forgotten says nothing of the one that took its place.</summary>
    private void DropForgotten()
    {
        for (var i = 0; i < _accounts.Length; i++)
        {
            if (_accounts[i].Follower!.Forgotten is null || _dropped[i])
            {
                continue;
            }

            _dropped[i] = true;
            for (var k = 0; k < _accounts.Length; k++)
            {
                (_both[i, k], _both[k, i], _one[i, k], _one[k, i], _together[i, k], _together[k, i]) = (0, 0, 0, 0, 0, 0);
            }
        }
    }
}
