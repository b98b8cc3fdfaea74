using System.Globalization;
using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>Writes a time as C's <c>strftime</c> does, which templates call as <c>strftime_now("%d %b %Y")</c>.</summary>
internal static class TemplateClock
{
    /// <exception cref="TemplateException">The format has a directive that is not known.</exception>
    public static string Format(DateTimeOffset time, string format)
    {
        var text = new StringBuilder();
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%' || at + 1 == format.Length)
            {
                text.Append(format[at]);
                continue;
            }

            // %-d is %d without its zero.
            var isShort = format[++at] == '-' && at + 1 < format.Length;
            at += isShort ? 1 : 0;
            var written = Directive(time, format[at]);
            text.Append(isShort && written.Length > 1 ? written.TrimStart('0') : written);
        }

        return text.ToString();
    }

    private static string Directive(DateTimeOffset time, char directive)
    {
        return directive switch
        {
            'Y' => Write("yyyy"),
            'y' => Write("yy"),
            'm' => Write("MM"),
            'B' => Write("MMMM"),
            'b' or 'h' => Write("MMM"),
            'd' => Write("dd"),
            'e' => $"{time.Day,2}",
            'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'A' => Write("dddd"),
            'a' => Write("ddd"),
            'H' => Write("HH"),
            'I' => Write("hh"),
            'M' => Write("mm"),
            'S' => Write("ss"),
            'p' => Write("tt"),
            'F' => Write("yyyy-MM-dd"),
            'T' => Write("HH:mm:ss"),
            'Z' => "UTC",
            'z' => "+0000",
            '%' => "%",
            _ => throw new TemplateException($"strftime_now does not know '%{directive}'"),
        };

        string Write(string format) => time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
    }
}
