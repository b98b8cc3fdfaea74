namespace AgentPlatform.Training.Data;

/// <summary>One labelled comment.</summary>
/// <remarks>The group is the subject that it was written about; a group is wholly in one split, so that near-paraphrases never straddle it.</remarks>
internal sealed record Comment(string Label, string Phenomenon, bool IsHeldOut, string Group, string Text)
{
    /// <summary>
    /// Reads every <c>*.tsv</c> of <paramref name="folder"/> in the order of its names. A line is
    /// <c>Positive⇥negation⇥train⇥coffee-machines⇥Not one leak in two years.</c>; the first line of a file names the columns.
    /// </summary>
    /// <exception cref="InvalidDataException">A line is wrong, or a comment or a group is in both splits.</exception>
    public static List<Comment> ReadFolder(string folder)
    {
        var comments = new List<Comment>();
        foreach (var file in Directory.GetFiles(folder, "*.tsv").Order(StringComparer.Ordinal))
        {
            var number = 1;
            foreach (var line in File.ReadLines(file).Skip(1))
            {
                number++;
                comments.Add(line.Split('\t') is [var label, var phenomenon, var split, var group, var text] && split is ("train" or "held-out")
                    ? new Comment(label, phenomenon, split == "held-out", group, text)
                    : throw new InvalidDataException($"{file}, line {number}: expected label, phenomenon, split (train or held-out), group and text between tabs."));
            }
        }

        if (comments.GroupBy(comment => comment.Group).FirstOrDefault(group => group.DistinctBy(comment => comment.IsHeldOut).Count() > 1) is { } torn)
        {
            throw new InvalidDataException($"The group {torn.Key} is in both splits.");
        }

        if (comments.GroupBy(comment => comment.Text, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new InvalidDataException($"The comment '{twice.Key}' is there twice.");
        }

        return comments;
    }
}
