using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Simulator;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Tests.Simulator;

namespace EdgeGateway.Tests.Diagnosis;

/// <summary>Loads that move between the requests of one round: a profile that is right is never called wrong, however few the rounds.</summary>
public sealed class MovingLoadTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private const int MostRounds = 12;
    private static readonly int Seeds = Environment.GetEnvironmentVariable("EDGEGATEWAY_LONG") == "1" ? 200 : 40;
    private static readonly int[] Judged = [1, 2, 3, 4, MostRounds];

    public static TheoryData<string> ThreePhaseDevices
    {
        get
        {
            var ids = new TheoryData<string>();
            foreach (var id in RepositoryFiles.Profiles.Select(f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal))
            {
                if (ProfileImageTests.SiteOf(id).Devices[0].Profile.Points.Any(p => p.Role.StartsWith("electricity.", StringComparison.Ordinal) && p.Role.Contains(".l2", StringComparison.Ordinal)))
                {
                    ids.Add(id);
                }
            }

            return ids;
        }
    }

    [Theory, MemberData(nameof(ThreePhaseDevices))]
    public void A_profile_that_is_right_is_never_called_wrong_on_a_moving_load(string id)
    {
        var wrong = new List<string>();
        var model = ProfileImageTests.SiteOf(id, ", ratedPower: 30 kW");
        for (var seed = 0; seed < Seeds; seed++)
        {
            var rounds = new MovingLoad(model, seed).Take(MostRounds);
            foreach (var count in Judged)
            {
                wrong.AddRange(ProfileTrial.Judge(model.Devices[0].Profile, rounds.GetRange(0, count)).Findings.Select(f => $"seed {seed}, {count} rounds: {f.What}"));
            }
        }

        output.WriteLine($"{wrong.Count} false findings");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
    }

    [Fact]
    public void At_least_95_percent_of_planted_faults_are_found_on_a_load_that_moves_by_2_percent()
    {
        var (planted, found) = (0, 0);
        var missed = new List<string>();
        foreach (var id in ProfileTrialTests.Ids)
        {
            var model = ProfileImageTests.SiteOf(id, id == "eastron-sdm120" ? ", ratedPower: 8 kW" : ", ratedPower: 30 kW");
            var rounds = new MovingLoad(model, seed: 2, pause: 50).Take(MostRounds);
            foreach (var (what, _, profile) in ProfileTrialTests.Faults(model.Devices[0].Profile))
            {
                planted++;
                if (ProfileTrial.Judge(profile, rounds).Findings.Count > 0)
                {
                    found++;
                }
                else
                {
                    missed.Add($"{id}: {what}");
                }
            }
        }

        output.WriteLine($"{planted} faults planted: {found} found; missed: {string.Join("; ", missed)}");
        Assert.True(planted >= 100);
        Assert.True(found >= 0.95 * planted, $"{found} of {planted} found; missed: {string.Join("; ", missed)}");
    }

    [Fact]
    public void Exchanged_phases_are_said_to_be_open_where_rounds_are_too_few_and_named_where_they_are_not()
    {
        var model = ProfileImageTests.SiteOf("eastron-sdm630", ", ratedPower: 30 kW");
        var rounds = new MovingLoad(model, seed: 7).Take(MostRounds);
        var wrong = ProfileTrialTests.Exchange(model.Devices[0].Profile, "electricity.power.active", "l1", "l2")!;

        var first = ProfileTrial.Judge(wrong, rounds.GetRange(0, 1));
        Assert.Empty(first.Findings);
        Assert.True(first.WantsMoreRounds);
        Assert.Contains(first.NotJudged, n => n.StartsWith("V x I fits the active power of other phases better", StringComparison.Ordinal) && n.EndsWith("not judged, 1 round is too few", StringComparison.Ordinal));

        var all = ProfileTrial.Judge(wrong, rounds);
        Assert.Contains(all.Findings, f => f.Cure == "the phases of active_power_l1, active_power_l2 are exchanged: exchange their addresses");
    }

    /// <summary>
    /// A device that is read as a slow line reads it: every request sees the loads of another second. The loads of the phases move apart besides, from one request to the next, by 0 to 40 %
    /// as the seed tells.
    /// </summary>
    private sealed class MovingLoad(SiteModel model, int seed, int pause = 0)
    {
        private const int Neighbours = 4;
        private static readonly double[] Movements = [0, 0.005, 0.02, 0.05, 0.15, 0.4];
        private static readonly string[] Loads = ["electricity.current", "electricity.power.active", "electricity.power.reactive", "electricity.power.apparent"];

        private readonly SimulatedSite _site = new(model, (ulong)seed, new SteppedTime(new DateTimeOffset(2026, 3, 2, seed % 24, seed * 7 % 60, 0, TimeSpan.Zero)));
        private readonly IReadOnlyList<ReadRequest> _requests = ProfileTrial.Requests(model.Devices[0].Profile, withNeighbours: false);
        private readonly Random _random = new(seed);
        private readonly double[] _factors = [1, 1, 1];
        private int _second = 1;

        public List<TrialRound> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Round())];

        private TrialRound Round()
        {
            var at = TimeSpan.FromSeconds(_second);
            var registers = new RegisterSnapshot();
            foreach (var request in _requests)
            {
                _site.Step(_site.Begin + TimeSpan.FromSeconds(++_second));
                for (var phase = 0; phase < 3; phase++)
                {
                    _factors[phase] = 1 + (Movements[seed % Movements.Length] * ((2 * _random.NextDouble()) - 1));
                }

                var points = model.Devices[0].Points.Select(i => model.Points[i])
                    .Where(p => p.Encoding.Table == request.Table && p.Encoding.Span.First >= request.Address && p.Encoding.Span.End <= request.Address + request.Quantity)
                    .ToList();
                foreach (var point in points)
                {
                    Read(point, registers);
                }

                // Scale registers are shared: the points that move come last.
                foreach (var point in points)
                {
                    Move(point, registers);
                }
            }

            foreach (var encoding in model.Devices[0].Profile.Points.Select(p => p.Encoding))
            {
                for (var address = Math.Max(0, encoding.Span.First - Neighbours); address < encoding.Span.End + Neighbours; address++)
                {
                    Around(encoding.Table, address, registers);
                }
            }

            _second += pause;
            return new(at, registers);
        }

        private void Around(RegisterTable table, int address, RegisterSnapshot registers)
        {
            if (registers.StateOf(table, new((ushort)address, 1)) != RegisterState.Unknown)
            {
                return;
            }

            var word = new ushort[1];
            if (_site.TryRead(0, table, _site.FirstRegister(0) + address, word))
            {
                registers.Put(table, address, word);
            }
            else
            {
                registers.PutRefused(table, address, 1);
            }
        }

        private void Read(PointModel point, RegisterSnapshot registers)
        {
            var words = new ushort[point.Encoding.Span.Length];
            Assert.True(_site.TryRead(0, point.Encoding.Table, _site.FirstRegister(0) + point.Encoding.Span.First, words), point.Id);
            registers.Put(point.Encoding.Table, point.Encoding.Span.First, words);
        }

        private void Move(PointModel point, RegisterSnapshot registers)
        {
            if (Factor(point.Role) is not { } factor)
            {
                return;
            }

            var words = new ushort[point.Encoding.Span.Length];
            registers.Get(point.Encoding.Table, point.Encoding.Span.First, words);
            if (RegisterCodec.Decode(point.Encoding, words, out var value, out _) == DecodeStatus.Ok)
            {
                RegisterCodec.Encode(point.Encoding, value * factor, words);
                registers.Put(point.Encoding.Table, point.Encoding.Span.First, words);
            }
        }

        private double? Factor(string role)
        {
            if (Array.Find(Loads, l => role.StartsWith(l, StringComparison.Ordinal)) is not { } load)
            {
                return null;
            }

            return role[load.Length..] switch
            {
                ".l1" => _factors[0],
                ".l2" => _factors[1],
                ".l3" => _factors[2],
                "" => Whole(),
                _ => null,
            };
        }

        // The loads of the phases are nearly alike: what is left of that is in the register of each.
        private double Whole()
        {
            double sum = 0, moved = 0;
            for (var phase = 0; phase < 3; phase++)
            {
                var share = Math.Abs(Value($"electricity.power.active.l{phase + 1}") ?? Value($"electricity.current.l{phase + 1}") ?? 1);
                sum += share;
                moved += share * _factors[phase];
            }

            return sum == 0 ? 1 : moved / sum;
        }

        private double? Value(string role) => model.Points.FirstOrDefault(p => p.DeviceIndex == 0 && p.Role == role) is { } point ? _site.Value(point.Index) : null;
    }
}
