namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>What drives an impact, by ln I = ln k + b ln P + c ln A + d ln T (Dietz and Rosa, 1994: STIRPAT).</summary>
/// <param name="LnK">The constant, ln k.</param>
/// <param name="Population">Elasticity b: percent of impact for one percent of population.</param>
/// <param name="Affluence">Elasticity c, of affluence.</param>
/// <param name="Technology">Elasticity d, of technology.</param>
/// <param name="Condition">Condition number of the regression (largest by smallest singular value of its matrix): how much it magnifies errors of the data.</param>
/// <param name="ResidualPercent">Root mean square residual, as percent of the impact, with the degrees of freedom that are left.</param>
public sealed record Stirpat(double LnK, double Population, double Affluence, double Technology, double Condition, double ResidualPercent)
{
    /// <summary>Above this the drivers cannot be told apart.</summary>
    public const double LargestCondition = 1e8;

    /// <summary>Fewest observations: four unknowns, and one left to err.</summary>
    public const int LeastObservations = 5;

    private const int Unknowns = 4;

    /// <summary>Fits the elasticities by QR decomposition (Householder): the drivers are nearly collinear, and the normal equations would square the condition number.</summary>
    /// <param name="population">Population, or whatever stands for the size; above zero.</param>
    /// <param name="affluence">Affluence, such as output per head; above zero.</param>
    /// <param name="technology">Technology, such as energy for one unit of output; above zero.</param>
    /// <param name="impact">The impact; above zero.</param>
    /// <exception cref="EmissionRefusedException">The series differ in length, are too short, have a value that is not above zero, or the drivers cannot be told apart.</exception>
    public static Stirpat Fit(ReadOnlySpan<double> population, ReadOnlySpan<double> affluence, ReadOnlySpan<double> technology, ReadOnlySpan<double> impact)
    {
        var n = impact.Length;
        if (population.Length != n || affluence.Length != n || technology.Length != n)
        {
            throw new EmissionRefusedException($"The series have {population.Length}, {affluence.Length}, {technology.Length} and {n} values; each observation needs all four.");
        }

        if (n < LeastObservations)
        {
            throw new EmissionRefusedException($"Four elasticities need at least {LeastObservations} observations, there are {n}.");
        }

        var matrix = new double[n, Unknowns];
        var right = new double[n];
        for (var i = 0; i < n; i++)
        {
            matrix[i, 0] = 1;
            matrix[i, 1] = Log(population[i], "population", i);
            matrix[i, 2] = Log(affluence[i], "affluence", i);
            matrix[i, 3] = Log(technology[i], "technology", i);
            right[i] = Log(impact[i], "impact", i);
        }

        Triangulate(matrix, right);
        var condition = ConditionOf(matrix);
        if (!(condition <= LargestCondition))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"Population, affluence and technology move together (condition number {condition:G3}, at most {LargestCondition:G3}): their shares in the impact cannot be told apart. Leave a driver constant in all years out of the analysis, or take more years."));
        }

        var x = new double[Unknowns];
        for (var j = Unknowns - 1; j >= 0; j--)
        {
            x[j] = right[j];
            for (var l = j + 1; l < Unknowns; l++)
            {
                x[j] -= matrix[j, l] * x[l];
            }

            x[j] /= matrix[j, j];
        }

        var squares = 0.0;
        for (var i = Unknowns; i < n; i++)
        {
            squares += right[i] * right[i];
        }

        return new(x[0], x[1], x[2], x[3], condition, 100 * Math.Sqrt(squares / (n - Unknowns)));
    }

    /// <summary>The impact that the drivers give.</summary>
    /// <exception cref="EmissionRefusedException">A driver is not above zero.</exception>
    public double Impact(double population, double affluence, double technology) =>
        Math.Exp(LnK + (Population * Log(population, "population", 0)) + (Affluence * Log(affluence, "affluence", 0)) + (Technology * Log(technology, "technology", 0)));

    private static double Log(double value, string name, int index) => value > 0 && double.IsFinite(value)
        ? Math.Log(value)
        : throw new EmissionRefusedException(FormattableString.Invariant($"Value {index + 1} of {name} is {value}; logarithms need values above zero."));

    /// <summary>Makes the matrix upper triangular by reflections, which leave lengths as they are, and takes the right side with it.</summary>
    private static void Triangulate(double[,] matrix, double[] right)
    {
        var n = right.Length;
        var v = new double[n];
        for (var j = 0; j < Unknowns; j++)
        {
            var norm = 0.0;
            for (var i = j; i < n; i++)
            {
                norm += matrix[i, j] * matrix[i, j];
            }

            norm = Math.Sqrt(norm) * (matrix[j, j] > 0 ? -1 : 1);
            if (norm == 0)
            {
                continue; // A column of zeros: the condition number is infinite, and the fit is refused.
            }

            var length = 0.0;
            for (var i = j; i < n; i++)
            {
                v[i] = matrix[i, j] - (i == j ? norm : 0);
                length += v[i] * v[i];
            }

            for (var column = j; column <= Unknowns; column++)
            {
                var dot = 0.0;
                for (var i = j; i < n; i++)
                {
                    dot += v[i] * (column < Unknowns ? matrix[i, column] : right[i]);
                }

                for (var i = j; i < n; i++)
                {
                    if (column < Unknowns)
                    {
                        matrix[i, column] -= 2 * dot / length * v[i];
                    }
                    else
                    {
                        right[i] -= 2 * dot / length * v[i];
                    }
                }
            }
        }
    }

    /// <summary>Singular values of the triangle by one-sided Jacobi rotations, which find small ones to full relative precision.</summary>
    private static double ConditionOf(double[,] matrix)
    {
        var u = new double[Unknowns, Unknowns];
        for (var i = 0; i < Unknowns; i++)
        {
            for (var j = i; j < Unknowns; j++)
            {
                u[i, j] = matrix[i, j];
            }
        }

        for (var sweep = 0; sweep < 30; sweep++)
        {
            for (var p = 0; p < Unknowns - 1; p++)
            {
                for (var q = p + 1; q < Unknowns; q++)
                {
                    double pp = 0, qq = 0, pq = 0;
                    for (var i = 0; i < Unknowns; i++)
                    {
                        pp += u[i, p] * u[i, p];
                        qq += u[i, q] * u[i, q];
                        pq += u[i, p] * u[i, q];
                    }

                    if (pq == 0)
                    {
                        continue;
                    }

                    var zeta = (qq - pp) / (2 * pq);
                    var tangent = (zeta >= 0 ? 1 : -1) / (Math.Abs(zeta) + Math.Sqrt(1 + (zeta * zeta)));
                    var cosine = 1 / Math.Sqrt(1 + (tangent * tangent));
                    var sine = cosine * tangent;
                    for (var i = 0; i < Unknowns; i++)
                    {
                        (u[i, p], u[i, q]) = ((cosine * u[i, p]) - (sine * u[i, q]), (sine * u[i, p]) + (cosine * u[i, q]));
                    }
                }
            }
        }

        var (least, most) = (double.PositiveInfinity, 0.0);
        for (var j = 0; j < Unknowns; j++)
        {
            var norm = 0.0;
            for (var i = 0; i < Unknowns; i++)
            {
                norm += u[i, j] * u[i, j];
            }

            (least, most) = (Math.Min(least, Math.Sqrt(norm)), Math.Max(most, Math.Sqrt(norm)));
        }

        return least > 0 ? most / least : double.PositiveInfinity;
    }
}
