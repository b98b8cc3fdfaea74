using System.CommandLine;
using AgentPlatform.Trainer.TinyChat;
using AgentPlatform.Training.Sentiment;

var sentiment = Create(
    "sentiment",
    "Trains on FOLDER/data, writes FOLDER/model.onnx, config.json and metrics.json, and prints what the written files reach on "
    + "FOLDER/heldout.tsv.",
    "--folds", "Only cross-validates over the training groups and writes nothing: the figure to choose settings by.",
    SentimentTraining.Run);
var tinyChat = Create(
    "tiny-chat",
    "Trains on FOLDER/data/train-*.jsonl, writes FOLDER/model.onnx, tiny-chat.gguf, tokenizer and settings, and metrics.json: what "
    + "model.onnx answers to FOLDER/data/heldout-*.jsonl.",
    "--validate",
    "Writes nothing and does not ask the held-out questions; what is printed, on questions for development, is what settings are "
    + "chosen by.", TinyChatTraining.Run);
var command = new RootCommand(
    "Trains the models that live in this repository, from the data beside them; the same data gives the same files. models/train.sh "
    + "starts it with what it needs.")
{
    sentiment, tinyChat,
}.Parse(args);
var exitCode = command.Invoke();
return command.Errors.Count > 0 ? 2 : exitCode;

static Command Create(string model, string description, string dryRun, string dryRunDescription, Func<string, bool, int> train)
{
    var folder = new Option<string>("--folder") { Description = "The model's folder.", DefaultValueFactory = _ => $"models/{model}" };
    var flag = new Option<bool>(dryRun) { Description = dryRunDescription };
    var command = new Command(model, description) { folder, flag };
    command.SetAction(result => train(result.GetRequiredValue(folder), result.GetValue(flag)));
    return command;
}
