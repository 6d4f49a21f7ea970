import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.xml.XMLConstants;
import javax.xml.parsers.SAXParserFactory;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import javax.xml.validation.Validator;
import org.xml.sax.ErrorHandler;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;
import org.xml.sax.SAXParseException;
import org.xml.sax.helpers.DefaultHandler;

/**
 * Xerces, as Java brings it, for other programs to ask: {@code java Judge.java}.
 *
 * <p>Questions come on standard input: a letter, the length in four bytes, and so many bytes. S is a schema, D a document
 * to judge by the last schema, W one to parse only. Each is answered on a line: {@code ok}, {@code fatal}, or
 * {@code invalid} with the lines that are wrong, then a tab and the first message.
 *
 * <p>With two arguments it judges one file by one schema, to measure how long that takes.
 */
public final class Judge {
    private static final String XSD = XMLConstants.W3C_XML_SCHEMA_NS_URI;
    private Schema schema;

    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 2) {
            Schema schema = SchemaFactory.newInstance(XSD).newSchema(new File(arguments[0]));
            Wrong wrong = new Wrong();
            judge(schema, new StreamSource(new File(arguments[1])), wrong);
            System.out.println(wrong.answer());
            System.exit(wrong.isNothing() ? 0 : 1);
        }
        new Judge().serve();
    }

    private void serve() throws IOException {
        DataInputStream questions = new DataInputStream(System.in);
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        while (true) {
            int kind;
            try {
                kind = questions.readUnsignedByte();
            } catch (EOFException end) {
                return;
            }
            byte[] bytes = questions.readNBytes(questions.readInt());
            answers.println(answer(kind, bytes));
            answers.flush();
        }
    }

    private String answer(int kind, byte[] bytes) {
        Wrong wrong = new Wrong();
        try {
            switch (kind) {
                case 'S' -> {
                    SchemaFactory factory = SchemaFactory.newInstance(XSD);
                    factory.setErrorHandler(wrong);
                    schema = null;
                    schema = factory.newSchema(new StreamSource(new ByteArrayInputStream(bytes)));
                }
                case 'D' -> judge(schema, new StreamSource(new ByteArrayInputStream(bytes)), wrong);
                default -> parse(bytes, wrong);
            }
        } catch (SAXParseException heard) {
            // The handler has it.
        } catch (Exception | StackOverflowError fault) {
            // A fault of Xerces itself: what it said before is no answer.
            wrong.fatal = fault.toString();
        }
        return wrong.answer();
    }

    private static void judge(Schema schema, StreamSource document, Wrong wrong) throws SAXException, IOException {
        Validator validator = schema.newValidator();
        validator.setErrorHandler(wrong);
        validator.validate(document);
    }

    private static void parse(byte[] bytes, Wrong wrong) throws Exception {
        SAXParserFactory factory = SAXParserFactory.newInstance();
        factory.setNamespaceAware(true);
        DefaultHandler handler = new DefaultHandler() {
            @Override
            public void error(SAXParseException error) throws SAXException {
                // Faults of namespaces are told as errors that can be passed over.
                wrong.fatalError(error);
            }

            @Override
            public void fatalError(SAXParseException error) throws SAXException {
                wrong.fatalError(error);
            }
        };
        factory.newSAXParser().parse(new InputSource(new ByteArrayInputStream(bytes)), handler);
    }

    /** What was found wrong: the message of each line. */
    private static final class Wrong implements ErrorHandler {
        private final TreeMap<Integer, String> lines = new TreeMap<>();
        private String fatal;

        boolean isNothing() {
            return fatal == null && lines.isEmpty();
        }

        String answer() {
            if (fatal != null) {
                return "fatal\t" + oneLine(fatal);
            }
            if (lines.isEmpty()) {
                return "ok";
            }
            String numbers = lines.keySet().stream().map(String::valueOf).collect(Collectors.joining(" "));
            return "invalid " + numbers + "\t" + oneLine(lines.firstEntry().getValue());
        }

        @Override
        public void warning(SAXParseException warning) {}

        @Override
        public void error(SAXParseException error) {
            lines.putIfAbsent(error.getLineNumber(), String.valueOf(error.getMessage()));
        }

        @Override
        public void fatalError(SAXParseException error) throws SAXException {
            fatal = String.valueOf(error.getMessage());
            throw error;
        }

        private static String oneLine(String text) {
            return text.replace('\n', ' ').replace('\r', ' ');
        }
    }
}
