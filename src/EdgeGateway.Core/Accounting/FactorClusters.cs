namespace EdgeGateway.Core.Accounting;

/// <summary>The common factor of similar devices, and each device's drawn towards it.</summary>
/// <param name="Factor">The common factor.</param>
/// <param name="Between">Variance between the devices.</param>
/// <param name="Uncertainty">Standard uncertainty of the common factor.</param>
/// <param name="Shrunk">Factor of each device.</param>
public sealed record PooledFactor(double Factor, double Between, double Uncertainty, IReadOnlyList<double> Shrunk);

/// <summary>What devices of one kind say together about their factors.</summary>
public static class FactorClusters
{
    // The middles of the thirds: always the same, so that the same devices make the same bands with the same names.
    private static readonly string[] Bands = ["low", "middle", "high"];
    private static readonly double[][] BandCentres = [[1.0 / 6], [1.0 / 2], [5.0 / 6]];

    /// <summary>
    /// Puts beside each factor what the others of the same unit, fuel and load say of it: a boiler at half load has another factor than one at full load. Those that no hour has moved know nothing of their own, and
    /// those whose load is not known yet have no band; both are left out.
    /// </summary>
    public static IReadOnlyList<AdaptedFactorState> PoolByKind(IReadOnlyList<AdaptedFactorState> factors)
    {
        ArgumentNullException.ThrowIfNull(factors);
        AdaptedFactorState[] pooled = [.. factors];
        foreach (var kind in Enumerable.Range(0, pooled.Length).Where(i => pooled[i] is { Hours: > 0, UncertaintyPercent: > 0, LoadShare: not null }).GroupBy(i => (pooled[i].Method, pooled[i].LearntFor)))
        {
            int[] members = [.. kind];
            var (bands, _) = Group([.. members.Select(i => new[] { pooled[i].LoadShare!.Value })], BandCentres);
            foreach (var band in members.Zip(bands).GroupBy(m => m.Second, m => m.First).Where(b => b.Count() > 1))
            {
                int[] places = [.. band];
                var found = Pool([.. places.Select(i => ((double)pooled[i].Factor, (double)pooled[i].Factor * pooled[i].UncertaintyPercent / 200))]);
                for (var k = 0; k < places.Length; k++)
                {
                    pooled[places[k]] = pooled[places[k]] with
                    {
                        Cluster = new(kind.Key.LearntFor, Bands[band.Key], places.Length, (decimal)found.Factor, 200 * found.Uncertainty / found.Factor, (decimal)found.Shrunk[k]),
                    };
                }
            }
        }

        return pooled;
    }

    /// <summary>Random-effects mean after DerSimonian and Laird (Controlled Clinical Trials 7, 1986), and the shrunken estimate of each device.</summary>
    /// <param name="devices">Factor and standard uncertainty of each device.</param>
    /// <exception cref="EmissionRefusedException">There is no device, or one has no uncertainty.</exception>
    public static PooledFactor Pool(IReadOnlyList<(double Factor, double Uncertainty)> devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        if (devices.Count == 0 || devices.Any(d => !(d.Uncertainty > 0)))
        {
            throw new EmissionRefusedException("Pooling needs at least one device, and an uncertainty above zero for each.");
        }

        double weights = 0, squares = 0, weighted = 0;
        foreach (var (factor, u) in devices)
        {
            var w = 1 / (u * u);
            weights += w;
            squares += w * w;
            weighted += w * factor;
        }

        var mean = weighted / weights;
        var q = devices.Sum(d => (d.Factor - mean) * (d.Factor - mean) / (d.Uncertainty * d.Uncertainty));
        var scale = weights - (squares / weights);
        var between = scale > 0 ? Math.Max(0, (q - (devices.Count - 1)) / scale) : 0;
        weights = devices.Sum(d => 1 / ((d.Uncertainty * d.Uncertainty) + between));
        var common = devices.Sum(d => d.Factor / ((d.Uncertainty * d.Uncertainty) + between)) / weights;
        return new(common, between, Math.Sqrt(1 / weights), [.. devices.Select(d => Shrink(d, common, between))]);
    }

    /// <summary>k-means from given centroids, so that the same devices make the same clusters; a tie goes to the lower index.</summary>
    /// <param name="points">Scaled features of each device.</param>
    /// <param name="centroids">Where to begin.</param>
    /// <param name="rounds">Most rounds.</param>
    /// <returns>The cluster of each device, and the centroids. A cluster that loses its last device keeps its centroid.</returns>
    /// <exception cref="EmissionRefusedException">There is no centroid, or the features differ in number.</exception>
    public static (IReadOnlyList<int> Labels, IReadOnlyList<double[]> Centroids) Group(IReadOnlyList<double[]> points, IReadOnlyList<double[]> centroids, int rounds = 100)
    {
        ArgumentNullException.ThrowIfNull(points);
        ArgumentNullException.ThrowIfNull(centroids);
        if (centroids.Count == 0 || points.Concat(centroids).Any(p => p.Length != centroids[0].Length))
        {
            throw new EmissionRefusedException("Clusters need a centroid to begin with, and the same features of every device.");
        }

        double[][] centres = [.. centroids.Select(c => c.ToArray())];
        int[] labels = [.. points.Select(p => Nearest(p, centres))];
        for (var round = 0; round < rounds; round++)
        {
            for (var c = 0; c < centres.Length; c++)
            {
                double[][] members = [.. points.Where((_, i) => labels[i] == c)];
                if (members.Length > 0)
                {
                    centres[c] = [.. Enumerable.Range(0, centres[c].Length).Select(f => members.Average(m => m[f]))];
                }
            }

            int[] next = [.. points.Select(p => Nearest(p, centres))];
            if (next.AsSpan().SequenceEqual(labels))
            {
                break;
            }

            labels = next;
        }

        return (labels, centres);
    }

    private static double Shrink((double Factor, double Uncertainty) device, double common, double between)
    {
        if (between == 0)
        {
            return common;
        }

        var (own, shared) = (1 / (device.Uncertainty * device.Uncertainty), 1 / between);
        return ((device.Factor * own) + (common * shared)) / (own + shared);
    }

    private static int Nearest(double[] point, double[][] centres)
    {
        var (best, least) = (0, double.PositiveInfinity);
        for (var c = 0; c < centres.Length; c++)
        {
            double distance = 0;
            for (var f = 0; f < point.Length; f++)
            {
                distance += (point[f] - centres[c][f]) * (point[f] - centres[c][f]);
            }

            if (distance < least)
            {
                (best, least) = (c, distance);
            }
        }

        return best;
    }
}
