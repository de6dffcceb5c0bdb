namespace EdgeGateway.Core.Accounting.Forecasting;

/// <summary>How a grey model continues the accumulated series.</summary>
public enum GreyForm : byte
{
    /// <summary>By the whitening equation dx/dt + a x = b: GM(1,1), and FGM(1,1) at an order other than 1.</summary>
    Continuous,

    /// <summary>By x(k+1) = a x(k) + b: DGM(1,1), at any order.</summary>
    Discrete,
}

/// <summary>
/// A grey model of first order in one variable: GM(1,1), its discrete form DGM(1,1), and both with accumulation of fractional order. For short series of positive values that grow or
/// fall like an exponential.
/// </summary>
/// <remarks>
/// GM(1,1): Deng, Control problems of grey systems, 1982. Fractional accumulation: Wu et al., Grey system model with the fractional order accumulation, 2013. Discrete form at fractional order:
/// reproduced to the printed digits of Complexity 2018, article 8610679, table 1.
/// </remarks>
public sealed class GreyModel
{
    /// <summary>Fewest values of a series: two parameters, and something left to err.</summary>
    public const int LeastValues = 4;

    /// <summary>Most steps that are forecast at once; far beyond what a short series can say.</summary>
    public const int MostSteps = 1_000;

    /// <summary>A continuous model with a development coefficient below this grows more than e-fold in a step: that is no course that anything metered takes for long.</summary>
    public const double LeastCoefficient = -1;

    private const double LinearBelow = 1e-10;
    private readonly double _first;

    private GreyModel(GreyForm form, double order, double a, double b, double[] series)
    {
        (Form, Order, A, B, _first) = (form, order, a, b, series[0]);
        Fitted = Course(series.Length);

        // The first value is fitted by construction and says nothing.
        var error = 0.0;
        for (var k = 1; k < series.Length; k++)
        {
            error += Math.Abs((Fitted[k] - series[k]) / series[k]);
        }

        MeanErrorPercent = 100 * error / (series.Length - 1);
    }

    /// <summary>How it continues.</summary>
    public GreyForm Form { get; }

    /// <summary>Order of the accumulation; 1 is the plain cumulative sum.</summary>
    public double Order { get; }

    /// <summary>Development coefficient: below zero the series grows (continuous). The ratio of two steps (discrete).</summary>
    public double A { get; }

    /// <summary>Grey input (continuous), or the constant (discrete), in the unit of the series.</summary>
    public double B { get; }

    /// <summary>The series as the model has it, first value included.</summary>
    public IReadOnlyList<double> Fitted { get; }

    /// <summary>Mean absolute error of the fit in percent, without the first value.</summary>
    public double MeanErrorPercent { get; }

    /// <summary>Fits the model by least squares.</summary>
    /// <param name="series">At least <see cref="LeastValues"/> values above zero, equally spaced in time.</param>
    /// <param name="order">Order of the accumulation, above 0 and at most 2.</param>
    /// <param name="form">How it continues.</param>
    /// <exception cref="EmissionRefusedException">The series is too short, has a value that is not above zero, the order is outside, the values determine no model, or it explodes.</exception>
    public static GreyModel Fit(ReadOnlySpan<double> series, double order = 1, GreyForm form = GreyForm.Continuous)
    {
        if (series.Length < LeastValues)
        {
            throw new EmissionRefusedException($"A grey model needs at least {LeastValues} values, there are {series.Length}.");
        }

        if (!(order > 0) || !(order <= 2))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"The order of a grey model is above 0 and at most 2; it is {order}."));
        }

        RequirePositive(series);
        double[] values = [.. series];
        var sums = Accumulate(values, order);
        var n = sums.Length - 1;
        var (x, y) = (new double[n], new double[n]);
        for (var k = 1; k <= n; k++)
        {
            (x[k - 1], y[k - 1]) = form == GreyForm.Continuous ? ((sums[k] + sums[k - 1]) / 2, sums[k] - sums[k - 1]) : (sums[k - 1], sums[k]);
        }

        // A line through the means: what the normal equations of two unknowns come to, without their loss of digits.
        var (meanX, meanY) = (x.Average(), y.Average());
        double xx = 0, xy = 0;
        for (var k = 0; k < n; k++)
        {
            xx += (x[k] - meanX) * (x[k] - meanX);
            xy += (x[k] - meanX) * (y[k] - meanY);
        }

        if (!(xx > 1e-24 * meanX * meanX))
        {
            throw new EmissionRefusedException("The accumulated series does not change, so that no grey model is determined by it.");
        }

        var slope = xy / xx;
        var a = form == GreyForm.Continuous ? -slope : slope;
        if (form == GreyForm.Continuous ? a < LeastCoefficient : a > Math.Exp(-LeastCoefficient))
        {
            throw new EmissionRefusedException(FormattableString.Invariant($"The grey model grows more than e-fold in a step (a = {a:G6}); its extrapolation would mean nothing."));
        }

        var model = new GreyModel(form, order, a, meanY - (slope * meanX), values);
        return model.Fitted.All(double.IsFinite) ? model : throw new EmissionRefusedException("The grey model of this series is not finite.");
    }

    /// <summary>Continues the series.</summary>
    /// <param name="horizon">Steps after the last value; trustworthy up to half of the number of values (see <see cref="Forecaster"/>, which keeps to it).</param>
    /// <exception cref="EmissionRefusedException">The horizon is negative or above <see cref="MostSteps"/>, or a value is not finite.</exception>
    public IReadOnlyList<double> Forecast(int horizon)
    {
        if (horizon is < 0 or > MostSteps)
        {
            throw new EmissionRefusedException($"A horizon of {horizon} steps cannot be forecast; it must be 0 to {MostSteps}.");
        }

        var course = Course(Fitted.Count + horizon);
        return course.All(double.IsFinite) ? course[Fitted.Count..] : throw new EmissionRefusedException("The grey model of this series is not finite that far ahead.");
    }

    /// <summary>
    /// The order that forecasts the end of a training series best: its last values are held out, each order is fitted to the rest, on a grid of 0.01 and then of 0.001 around the best. The fit
    /// itself is never the measure, it only gets better with freedom.
    /// </summary>
    /// <param name="training">What is known; at least six values.</param>
    /// <param name="form">How the model continues.</param>
    /// <exception cref="EmissionRefusedException">The series is too short, or no order gives a model.</exception>
    public static double ChooseOrder(ReadOnlySpan<double> training, GreyForm form = GreyForm.Continuous)
    {
        var held = Math.Min(Math.Max(2, training.Length / 4), training.Length - LeastValues);
        if (held < 2)
        {
            throw new EmissionRefusedException($"The order is chosen by values held out: at least {LeastValues + 2} are needed, there are {training.Length}.");
        }

        RequirePositive(training);
        var (best, least) = (double.NaN, double.PositiveInfinity);
        for (var i = 1; i <= 200; i++)
        {
            Try(training, i / 100.0);
        }

        if (double.IsNaN(best))
        {
            throw new EmissionRefusedException("No order gives a grey model of this series.");
        }

        var centre = (int)Math.Round(best * 1000);
        for (var i = Math.Max(1, centre - 9); i <= Math.Min(2000, centre + 9); i++)
        {
            Try(training, i / 1000.0);
        }

        return best;

        void Try(ReadOnlySpan<double> series, double order)
        {
            try
            {
                var course = Fit(series[..^held], order, form).Forecast(held);
                var error = 0.0;
                for (var k = 0; k < held; k++)
                {
                    error += Math.Abs(course[k] - series[^(held - k)]);
                }

                if (error < least)
                {
                    (best, least) = (order, error);
                }
            }
            catch (EmissionRefusedException)
            {
                // This order has no model; another one may.
            }
        }
    }

    private static void RequirePositive(ReadOnlySpan<double> series)
    {
        for (var k = 0; k < series.Length; k++)
        {
            if (!(series[k] > 0) || !double.IsFinite(series[k]))
            {
                throw new EmissionRefusedException(FormattableString.Invariant($"A grey model needs values above zero; value {k + 1} of the series is {series[k]}."));
            }
        }
    }

    /// <summary>Sum of order r: coefficients c(0) = 1, c(j) = c(j-1) (r + j - 1) / j. The sum of order -r undoes it.</summary>
    private static double[] Accumulate(ReadOnlySpan<double> series, double order)
    {
        var coefficients = new double[series.Length];
        var sums = new double[series.Length];
        for (var k = 0; k < series.Length; k++)
        {
            coefficients[k] = k == 0 ? 1 : coefficients[k - 1] * (order + k - 1) / k;
            for (var i = 0; i <= k; i++)
            {
                sums[k] += coefficients[k - i] * series[i];
            }
        }

        return sums;
    }

    private double[] Course(int length)
    {
        var sums = new double[length];
        for (var k = 0; k < length; k++)
        {
            sums[k] = Form == GreyForm.Discrete
                ? k == 0 ? _first : (A * sums[k - 1]) + B
                : Math.Abs(A) < LinearBelow ? _first + (B * k) : ((_first - (B / A)) * Math.Exp(-A * k)) + (B / A);
        }

        return Accumulate(sums, -Order);
    }
}
