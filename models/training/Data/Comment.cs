namespace AgentPlatform.Training.Data;

/// <summary>One labelled comment.</summary>
/// <remarks>
/// The group is the subject that it was written about. Comments of one group
/// are judged together, so that near-paraphrases never straddle a split.
/// </remarks>
internal sealed record Comment(string Label, string Phenomenon, string Group, string Text)
{
    /// <summary>
    /// Reads the comments for training, every <c>*.tsv</c> of <paramref name="folder"/> in the order of its names, and those of
    /// <paramref name="heldOutFile"/>. A line is <c>Positive⇥negation⇥coffee-makers⇥Not one leak in two years.</c>; the first line of a
    /// file names the columns.
    /// </summary>
    /// <exception cref="InvalidDataException">A line is wrong, a group is in both splits, or a comment is there twice.</exception>
    public static (List<Comment> Training, List<Comment> HeldOut) Read(string folder, string heldOutFile)
    {
        var training = Directory.GetFiles(folder, "*.tsv").Order(StringComparer.Ordinal).SelectMany(ReadFile).ToList();
        var heldOut = ReadFile(heldOutFile).ToList();
        if (training.Select(comment => comment.Group).Intersect(heldOut.Select(comment => comment.Group)).FirstOrDefault() is { } torn)
        {
            throw new InvalidDataException($"The group {torn} is in both splits.");
        }

        if (training.Concat(heldOut)
            .GroupBy(comment => comment.Text, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new InvalidDataException($"The comment '{twice.Key}' is there twice.");
        }

        return (training, heldOut);
    }

    private static IEnumerable<Comment> ReadFile(string file) => File.ReadLines(file).Index().Skip(1).Select(line =>
        line.Item.Split('\t') is [var label, var phenomenon, var group, var text]
            ? new Comment(label, phenomenon, group, text)
            : throw new InvalidDataException($"{file}, line {line.Index + 1}: expected label, phenomenon, group and text between tabs."));
}
