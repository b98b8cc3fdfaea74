using System.Globalization;
using System.Text;

namespace AgentPlatform.OnnxChat.Templates;

/// <summary>
/// Cuts a Jinja template into tokens (https://jinja.palletsprojects.com/en/stable/templates/). White space around tags is treated as
/// Hugging Face's chat templates expect it: Jinja's <c>trim_blocks</c> and <c>lstrip_blocks</c> are on.
/// </summary>
internal sealed class TemplateLexer
{
    // Longest first.
    private static readonly string[] _operators =
        ["**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "~", "|", ".", ",", ":", "=", "(", ")", "[", "]", "{", "}"];

    private readonly List<TemplateToken> _tokens = [];
    private readonly string _source;
    private int _at;
    private (int At, int Line) _counted = (0, 1);

    private TemplateLexer(string source) => _source = source;

    /// <summary>The tokens of <paramref name="source"/>; the last one is <see cref="TemplateTokenKind.End"/>.</summary>
    /// <exception cref="TemplateSyntaxException">A tag or a string does not end, or a character has no meaning.</exception>
    public static List<TemplateToken> Read(string source)
    {
        // Jinja knows one kind of line end, and drops one at the very end of a template.
        source = source.ReplaceLineEndings("\n");
        var lexer = new TemplateLexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadAll();
        return lexer._tokens;
    }

    private void ReadAll()
    {
        var trim = false;
        while (_at < _source.Length)
        {
            var tag = NextTag();
            AddText(_source[_at..tag], trim, tag);
            if (tag == _source.Length)
            {
                _at = tag;
                break;
            }

            _at = tag + 2;
            var marker = _source[tag + 1];
            _at += _at < _source.Length && _source[_at] is '-' or '+' ? 1 : 0;
            trim = marker == '#' ? SkipComment() : ReadTag(marker == '%');
        }

        Add(TemplateTokenKind.End, "", _at);
    }

    private int NextTag()
    {
        for (var at = _source.IndexOf('{', _at); at >= 0 && at + 1 < _source.Length; at = _source.IndexOf('{', at + 1))
        {
            if (_source[at + 1] is '{' or '%' or '#')
            {
                return at;
            }
        }

        return _source.Length;
    }

    private void AddText(string text, bool trim, int tag)
    {
        text = trim ? text.TrimStart() : text;
        if (tag < _source.Length)
        {
            var control = tag + 2 < _source.Length ? _source[tag + 2] : ' ';
            if (control == '-')
            {
                text = text.TrimEnd();
            }
            else if (control != '+' && _source[tag + 1] != '{')
            {
                text = StripIndent(text);
            }
        }

        if (text.Length > 0)
        {
            Add(TemplateTokenKind.Text, text, _at);
        }
    }

    // lstrip_blocks: white space between the beginning of a line and a block tag is not text.
    private string StripIndent(string text)
    {
        var lineStart = text.LastIndexOf('\n') + 1;
        var isLineStart = lineStart > 0 || _at == 0 || _source[_at - 1] == '\n';
        return isLineStart && text.AsSpan(lineStart).Trim(" \t").IsEmpty ? text[..lineStart] : text;
    }

    private bool SkipComment()
    {
        var end = _source.IndexOf("#}", _at, StringComparison.Ordinal);
        if (end < 0)
        {
            throw Mistake("A comment is not closed by '#}'", _at);
        }

        var control = _source[end - 1];
        _at = end + 2;
        return EndTag(control, isBlock: true);
    }

    private bool ReadTag(bool isStatement)
    {
        var (close, start, depth) = (isStatement ? "%}" : "}}", _at, 0);
        Add(isStatement ? TemplateTokenKind.OpenStatement : TemplateTokenKind.OpenOutput, "", _at);
        while (true)
        {
            while (_at < _source.Length && char.IsWhiteSpace(_source[_at]))
            {
                _at++;
            }

            if (_at >= _source.Length)
            {
                throw Mistake($"A tag is not closed by '{close}'", start);
            }

            // A brace that an expression has opened is closed before the tag is.
            var control = _source[_at] is '-' or '+' ? _source[_at] : ' ';
            if (depth == 0 && string.CompareOrdinal(_source, control == ' ' ? _at : _at + 1, close, 0, 2) == 0)
            {
                _at += control == ' ' ? 2 : 3;
                Add(isStatement ? TemplateTokenKind.CloseStatement : TemplateTokenKind.CloseOutput, "", _at);
                return EndTag(control, isStatement);
            }

            depth += _source[_at] == '{' ? 1 : _source[_at] == '}' ? -1 : 0;
            ReadInside();
        }
    }

    /// <summary>Whether the white space after the tag is to be dropped. trim_blocks: the line end after a block tag is not text.</summary>
    private bool EndTag(char control, bool isBlock)
    {
        if (isBlock && control is not ('-' or '+') && _at < _source.Length && _source[_at] == '\n')
        {
            _at++;
        }

        return control == '-';
    }

    private void ReadInside()
    {
        var first = _source[_at];
        if (char.IsLetter(first) || first == '_')
        {
            Take(TemplateTokenKind.Name, static c => char.IsLetterOrDigit(c) || c == '_');
        }
        else if (char.IsAsciiDigit(first))
        {
            ReadNumber();
        }
        else if (first is '\'' or '"')
        {
            ReadString(first);
        }
        else if (Array.Find(_operators, symbol => string.CompareOrdinal(_source, _at, symbol, 0, symbol.Length) == 0) is { } found)
        {
            Add(TemplateTokenKind.Operator, found, _at);
            _at += found.Length;
        }
        else
        {
            throw Mistake($"The character '{first}' has no meaning here", _at);
        }
    }

    private void Take(TemplateTokenKind kind, Func<char, bool> belongs)
    {
        var start = _at;
        while (_at < _source.Length && belongs(_source[_at]))
        {
            _at++;
        }

        Add(kind, _source[start.._at], start);
    }

    private void ReadNumber()
    {
        var start = _at;
        Take(TemplateTokenKind.Integer, static c => char.IsAsciiDigit(c) || c == '_');
        if (_at + 1 < _source.Length && _source[_at] == '.' && char.IsAsciiDigit(_source[_at + 1]))
        {
            _tokens.RemoveAt(_tokens.Count - 1);
            _at++;
            while (_at < _source.Length && char.IsAsciiDigit(_source[_at]))
            {
                _at++;
            }

            Add(TemplateTokenKind.Float, _source[start.._at], start);
        }
    }

    private void ReadString(char quote)
    {
        var (start, text) = (_at, new StringBuilder());
        for (_at++; _at < _source.Length && _source[_at] != quote; _at++)
        {
            if (_source[_at] != '\\' || _at + 1 == _source.Length)
            {
                text.Append(_source[_at]);
                continue;
            }

            switch (_source[++_at])
            {
                case 'n': text.Append('\n'); break;
                case 't': text.Append('\t'); break;
                case 'r': text.Append('\r'); break;
                case 'x': AppendCode(text, 2); break;
                case 'u': AppendCode(text, 4); break;
                case '\n': break;
                case '\\' or '\'' or '"': text.Append(_source[_at]); break;
                default: text.Append('\\').Append(_source[_at]); break;
            }
        }

        if (_at == _source.Length)
        {
            throw Mistake("A string does not end", start);
        }

        _at++;
        Add(TemplateTokenKind.String, text.ToString(), start);
    }

    private void AppendCode(StringBuilder text, int digits)
    {
        if (_at + digits >= _source.Length
            || !ushort.TryParse(
                _source.AsSpan(_at + 1, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            throw Mistake("An escape in a string is not a character's code", _at);
        }

        text.Append((char)code);
        _at += digits;
    }

    private void Add(TemplateTokenKind kind, string text, int at) => _tokens.Add(new TemplateToken(kind, text, LineOf(at)));

    // Counts on from the place before: to count from the beginning for each token would take the square of the source's length.
    private int LineOf(int at)
    {
        at = Math.Min(at, _source.Length);
        var (from, line) = at >= _counted.At ? _counted : (0, 1);
        _counted = (at, line + _source.AsSpan(from, at - from).Count('\n'));
        return _counted.Line;
    }

    private TemplateSyntaxException Mistake(string what, int at) => new(what, LineOf(at));
}
