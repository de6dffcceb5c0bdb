using System.Globalization;
using System.Text;

namespace EdgeGateway.Core.Drawing;

/// <summary>The few pieces of SVG 1.1 that our drawings share. The same bytes for the same drawing on every machine.</summary>
internal static class Svg
{
    /// <summary>Colour of lines and letters.</summary>
    public const string Ink = "#1a1a1a";

    /// <summary>Fonts, the ones that most machines have first.</summary>
    public const string Fonts = "Arial, Helvetica, Liberation Sans, DejaVu Sans, sans-serif";

    /// <summary>A number: one decimal is finer than any line.</summary>
    public static string N(double value) => Math.Round(value, 1, MidpointRounding.AwayFromZero).ToString("0.#", CultureInfo.InvariantCulture);

    /// <summary>A text between tags.</summary>
    public static string Escape(string text) =>
        text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal).Replace(">", "&gt;", StringComparison.Ordinal);

    /// <summary>Writes a text.</summary>
    /// <param name="svg">Where to.</param>
    /// <param name="x">Place of the anchor.</param>
    /// <param name="y">Base line.</param>
    /// <param name="text">What it says.</param>
    /// <param name="size">Height of the letters.</param>
    /// <param name="anchor"><c>start</c>, <c>middle</c> or <c>end</c>.</param>
    /// <param name="isBold">True for headings.</param>
    public static void Text(StringBuilder svg, double x, double y, string text, double size, string anchor, bool isBold = false)
    {
        var weight = isBold ? " font-weight=\"bold\"" : "";
        svg.Append($"<text x=\"{N(x)}\" y=\"{N(y)}\" font-size=\"{N(size)}\" text-anchor=\"{anchor}\" xml:space=\"preserve\"{weight}>{Escape(text)}</text>\n");
    }
}
